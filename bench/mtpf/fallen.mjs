// Adapters that have less with all rows than with a tenth of them: their training fell to one answer.
import { sectionFor } from "./sections.mjs";
import { mean } from "./statistics.mjs";

/** @param {object[]} sections of `sectionsOf` @returns {{ family: "ner" | "tc", task: string, regime: string, whole: number, few: number }[]} metrics with all rows and with a tenth */
export function fallenAdapters(sections) {
  return sections.filter(({ protocol, share }) => protocol === "lora" && share === 100).flatMap(({ family, tasks, runs }) => {
    const fewOf = sectionFor(sections, "lora", 10, family)?.runs;
    return tasks.flatMap((task) => [...runs].flatMap(([regime, list]) => {
      const of = (own) => mean(own.flatMap((run) => run.tasks.get(task).map(({ test }) => test)));
      const other = fewOf?.get(regime);
      if (other === undefined) return [];
      const [whole, few] = [of(list), of(other)];
      return few - whole > 0.0005 ? [{ family, task, regime, whole, few }] : [];
    }));
  });
}

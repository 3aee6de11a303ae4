// Choices and ablations: linear heads, all rows, seed 1 alone. One run each, so that the means of those with several are not held against those with one.
import { ABLATIONS } from "./figures.mjs";
import { markdownTable } from "./marked.mjs";
import { FAMILIES, sectionOf } from "./sections.mjs";
import { mean } from "./statistics.mjs";
import { droppedLines, points } from "./wording.mjs";

const SEED = 1;

/** Sections of the configurations, by family. */
export function ablationSections(results, tasks) {
  const seeded = results.filter(({ header }) => header.seed === SEED);
  const names = ABLATIONS.map(([name]) => name);
  return new Map(FAMILIES.map(([title, family]) => [family, { title, ...sectionOf(seeded, names, "linear", 100, tasks.filter(([, kind]) => kind === family).map(([name]) => name)) }]));
}

/** Means of dev, by which choices are made, and of test; nothing where a configuration lacks a family. @param {Map<string, object>} ablations */
export function ablationTable(ablations) {
  const sections = [...ablations.values()];
  const rows = ABLATIONS.filter(([name]) => sections.some(({ runs }) => runs.has(name))).map(([name, what]) => {
    const means = sections.flatMap(({ runs }) => ["dev", "test"].map((set) => (runs.has(name) ? points(mean([...runs.get(name)[0].tasks.values()].map(([cell]) => cell[set]))) : "")));
    return [name, what, ...means];
  });
  const notes = droppedLines(sections);
  if (rows.length < 2) return [`Fewer than two configurations are written with seed ${SEED}.`, ...notes];
  return [...markdownTable([`configuration, seed ${SEED}`, "what it has", "NER dev", "NER test", "TC dev", "TC test"], rows), ...notes];
}

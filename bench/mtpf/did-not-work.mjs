// Sentences of docs/mtpf-tpl.md on what did not work, what binds and what was not run, out of the results.
import { ABLATIONS } from "./figures.mjs";
import { both, gain, item, sentence, told } from "./findings.mjs";
import { L2 } from "./l2-grid.mjs";
import { sectionFor } from "./sections.mjs";
import { signedPoints } from "./wording.mjs";
import { mean } from "./statistics.mjs";

/** Configurations that gave nothing, beside task-primary. */
const TRIED = [
  ["task-primary-r16", "Rank 16 in place of 8"], ["task-primary-t10", "Temperature 0.1 in place of 0.05"],
  ["task-primary-k2", "Groups on two layers in place of three"], ["task-primary-k1", "Groups on the last layer alone"],
];

/** @param {object[]} sections of `sectionsOf` @param {Map<string, object>} ablations of `ablationSections` */
export function whatDidNotWork(sections, ablations, results) {
  const of = (task, a, b) => both(sections, "tc", a, b, ({ tasks }) => (tasks.includes(task) ? [task] : []));
  return [
    ...taskItem(sections, "banking77", () => [
      sentence([of("banking77", "task-primary", "none"), of("banking77", "ner-only", "none")], (groups, ner) => `task-primary ${groups} against none, ner-only ${ner}.`),
    ]),
    ...taskItem(sections, "edos_sexism", () => [sentence([of("edos_sexism", "task-primary", "none")], (groups) => `task-primary ${groups} against none.`)]),
    ...TRIED.flatMap(([name, what]) => item(`${what}`, [tried(ablations, name)])),
    ...item("A trained backbone, over groups on a frozen one:", [
      sentence([both(sections, "ner", "task-primary", "groups-only"), both(sections, "tc", "task-primary", "groups-only")], (ner, tc) => `NER ${ner}, TC ${tc}.`),
    ]),
    ...item("The end of the grid of λ:", [sentence([strongest(sections, "tc"), strongest(sections, "ner")],
      (tc, ner) => `${tc} of TC's linear cells at 10 % and ${ner} of NER's take the strongest that is offered: there the grid binds.`)]),
    ...notRun(results),
  ];
}

function taskItem(sections, task, sentences) {
  return sections.some(({ tasks }) => tasks.includes(task)) ? item(`${task}:`, sentences()) : [];
}

/** Dev, by which choices are made, and test. */
function tried(ablations, name) {
  const parts = [...ablations.values()].map((section) => {
    const found = gain(section, name, "task-primary");
    if (found === null) return null;
    const dev = (regime) => mean([...section.runs.get(regime)[0].tasks.values()].map(([cell]) => cell.dev));
    return `${section.title} dev ${signedPoints(dev(name) - dev("task-primary"))}, test ${told(found)}`;
  });
  return sentence(parts, (...all) => `(all rows, seed 1): ${all.join("; ")}.`);
}

/** Share of a family's linear cells at 10 % whose λ is the end of the grid. */
function strongest(sections, family) {
  const section = sectionFor(sections, "linear", 10, family);
  const cells = [...(section?.runs.values() ?? [])].flat().flatMap(({ tasks }) => [...tasks.values()].flat());
  return cells.length === 0 ? null : `${Math.round((100 * cells.filter(({ l2 }) => l2 === L2[0]).length) / cells.length)} %`;
}

function notRun(results) {
  const missing = ABLATIONS.filter(([name]) => results.every(({ header }) => header.regime !== name));
  return missing.length === 0 ? [] : [`- **Without cells here:** ${missing.map(([name, what]) => `${name} (${what})`).join("; ")}; groups on more than three layers.`];
}

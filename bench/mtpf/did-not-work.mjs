// Sentences of docs/mtpf-tpl.md on what did not work, what binds and what was not run, out of the results.
import { fallenAdapters } from "./fallen.mjs";
import { ABLATIONS } from "./figures.mjs";
import { L2, STEPS } from "./fitting.mjs";
import { MET_BEFORE, sectionFor } from "./sections.mjs";
import { gain, gainText, gainTextAtShares, gainTextsWithUnmet, item, sentence } from "./sentences.mjs";
import { mean } from "./statistics.mjs";
import { listed, points, signedPoints } from "./wording.mjs";

/** Configurations that gave nothing, beside task-primary. */
const TRIED = [
  ["task-primary-r16", "Rank 16 in place of 8"], ["task-primary-t10", "Temperature 0.1 in place of 0.05"],
  ["task-primary-k2", "Groups on two layers in place of three"], ["task-primary-k1", "Groups on the last layer alone"],
];

/** What was not tried; no configuration stands for it. */
const NOT_TRIED = [
  "other rates of the backbone", "naive mixing with the NER loss more than nine times", "temperatures below 0.05", "groups on more than three layers",
  "a specialist of as many updates as what ships", "gradients averaged over batches",
];

/** @param {object[]} sections of `sectionsOf` @param {Map<string, object>} ablations of `ablationSections` */
export function whatDidNotWork(sections, ablations, results) {
  const of = (task, a, b) => gainTextAtShares(sections, "tc", a, b, ({ tasks }) => (tasks.includes(task) ? [task] : []));
  return [
    ...taskItem(sections, "banking77", () => [
      sentence(["task-primary", "shipped", "ner-only"].map((regime) => of("banking77", regime, "none")), (groups, shipped, ner) => `task-primary ${groups} against none, what ships ${shipped}, ner-only ${ner}.`),
    ]),
    ...taskItem(sections, "edos_sexism", () => [sentence([of("edos_sexism", "task-primary", "none")], (groups) => `task-primary ${groups} against none.`)]),
    ...TRIED.flatMap(([name, what]) => item(`${what}`, [tried(ablations, name)])),
    ...item("What ships, beside the shorter task-primary, is worse at (all rows, seed 1):", [worse(sections, "shipped", "task-primary")]),
    ...item("Longer, on text classification:", [sentence(gainTextsWithUnmet((family) => ablations.get(family), "shipped", "task-primary-ner3").slice(1),
      (tc, unmet) => `five times as many updates gave TC ${tc}, without ${listed(MET_BEFORE)} ${unmet} (all rows, seed 1).`)]),
    ...item("Ten times the rows, and less (LoRA, all rows beside 10 %):", [lessWithMore(sections)]),
    ...item("The end of the grid of λ:", [sentence(["tc", "ner"].map((family) => shareOfCells(sections, family, 10, ({ l2 }) => l2 === L2[0])),
      (tc, ner) => `${tc} of TC's linear cells at 10 % and ${ner} of NER's take the strongest that is offered: there the grid binds.`)]),
    ...item("The end of the steps:", [sentence(["tc", "ner"].map((family) => shareOfCells(sections, family, 100, ({ iterations }) => iterations === STEPS.iterations)),
      (tc, ner) => `${tc} of TC's linear cells with all rows and ${ner} of NER's are fitted with all ${STEPS.iterations} steps, not to the tolerance. With 150 and 200 steps no score of five tasks moved by more than 0.8 points, most by less than 0.3.`)]),
    notRun(results),
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
    return `${section.title} dev ${signedPoints(dev(name) - dev("task-primary"))}, test ${gainText(found)}`;
  });
  return sentence(parts, (...all) => `(all rows, seed 1): ${all.join("; ")}.`);
}

/** Tasks that a regime loses, by an interval without 0; null where none is or a regime is not there. */
function worse(sections, a, b) {
  const lost = sections.filter(({ protocol, share }) => protocol === "linear" && share === 100).flatMap((section) => section.tasks.flatMap((task) => {
    const found = gain(section, a, b, [task]);
    return found !== null && found.interval[1] < 0 ? [`${task} ${gainText(found)}`] : [];
  }));
  return lost.length === 0 ? null : `${lost.join(", ")}.`;
}

/** Tasks at which a regime's adapters have less with all rows than with a tenth of them; null where there are none. */
function lessWithMore(sections) {
  const found = fallenAdapters(sections).map(({ regime, task, whole, few }) => `${regime} at ${task} ${points(whole)} (${points(few)})`);
  return found.length === 0 ? null : `${found.join(", ")}. Training at these rates can fall to one answer for all; dev shows it, and other rates were not searched.`;
}

/** Of a family's linear cells at a share of the rows those of which something holds, in per cent; null where there are none. */
function shareOfCells(sections, family, share, holds) {
  const section = sectionFor(sections, "linear", share, family);
  const cells = [...(section?.runs.values() ?? [])].flat().flatMap(({ tasks }) => [...tasks.values()].flat());
  return cells.length === 0 ? null : `${Math.round((100 * cells.filter(holds).length) / cells.length)} %`;
}

function notRun(results) {
  const missing = ABLATIONS.filter(([name]) => results.every(({ header }) => header.regime !== name)).map(([name, what]) => `${name} (${what})`);
  return `- **Not run:** ${[...missing, ...NOT_TRIED].join("; ")}.`;
}

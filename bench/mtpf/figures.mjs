// Figures of regimes from the results of their runs.
import { interval, meanOf, resample } from "./bootstrap.mjs";
import { SUBSETS } from "./cells.mjs";
import { seedOf } from "./draw.mjs";
import { unpackOutcomes } from "./scores.mjs";
import { mean } from "./statistics.mjs";

export const REGIMES = ["none", "ner-only", "tc-only", "naive", "naive-weighted", "groups-only", "task-primary"];
/** Configurations beside the regimes', each with what it has that task-primary has not: choices for what ships, by dev alone, and ablations. */
export const ABLATIONS = [
  ["task-primary", "k = 3, r = 8, losses 1 : 1, temperature 0.05"],
  ["task-primary-k1", "groups on the last layer alone"],
  ["task-primary-k2", "groups on the last two layers"],
  ["task-primary-r16", "rank 16"],
  ["task-primary-ner3", "NER loss three times"],
  ["task-primary-t10", "temperature 0.1"],
  ["shipped", "what ships: 2,720 updates, NER loss three times"],
  ["shared-group", "one group for both families"],
  ["pcgrad", "no groups; gradient surgery instead (PCGrad)"],
  ["naive", "no groups"],
  ["naive-weighted", "no groups, NER loss three times"],
  ["naive-ner9", "no groups, NER loss nine times"],
];

const DRAWS = 1000;

/**
 * A regime under one protocol and share: the mean over its runs (seeds of pre-finetuning) and the subsets of training rows.
 * @typedef {{ tasks: Map<string, { metric: number, cells: object[] }>, runs: { tasks: Map<string, number> }[] }} RegimeFigures
 */

/** @param {{ header: object, cells: Map<string, object> }[]} results @returns {RegimeFigures | null} null where no run has a cell */
export function figuresOf(results, regime, protocol, share, taskNames) {
  const names = (task) => (share === 100 ? [`${protocol}/${task}/100`] : SUBSETS.map((subset) => `${protocol}/${task}/${share}/${subset}`));
  const runs = results.filter(({ header }) => header.regime === regime).map(({ cells }) => {
    // A task counts when all its cells are there.
    const own = taskNames.map((task) => [task, names(task).map((name) => cells.get(name))]).filter(([, list]) => list.every((cell) => cell !== undefined));
    return new Map(own);
  }).filter((run) => run.size > 0);
  if (runs.length === 0) return null;
  const tasks = taskNames.filter((task) => runs.every((run) => run.has(task))).map((task) => {
    const cells = runs.flatMap((run) => run.get(task));
    return [task, { metric: mean(cells.map(({ test }) => test)), cells }];
  });
  return { tasks: new Map(tasks), runs: runs.map((run) => ({ tasks: new Map([...run].map(([task, cells]) => [task, mean(cells.map(({ test }) => test))])) })) };
}

/** The tasks of a family that every regime has. @param {Map<string, RegimeFigures>} regimes @param {string[]} family */
export function commonTasks(regimes, family) {
  return family.filter((task) => [...regimes.values()].every((figures) => figures.tasks.has(task)));
}

/**
 * Means over the tasks of a family that every regime has, and draws of them.
 * @param {Map<string, RegimeFigures>} regimes
 * @returns {{ tasks: string[], of: Map<string, { mean: number, draws: Float64Array, seeds: number[] }> } | null}
 */
export function familyMeans(regimes, family) {
  const tasks = commonTasks(regimes, family);
  if (tasks.length === 0) return null;
  const drawn = new Map([...regimes.keys()].map((regime) => [regime, []]));
  for (const task of tasks) {
    const lists = [...regimes].map(([regime, figures]) => [regime, figures.tasks.get(task).cells]);
    const metrics = resample(lists.flatMap(([, cells]) => cells.map(({ outcomes }) => unpackOutcomes(outcomes))), DRAWS, seedOf(task));
    for (const [regime, cells] of lists) drawn.get(regime).push(meanOf(metrics.splice(0, cells.length)));
  }
  const of = [...regimes].map(([regime, figures]) => [regime, {
    mean: mean(tasks.map((task) => figures.tasks.get(task).metric)),
    draws: meanOf(drawn.get(regime)),
    seeds: figures.runs.map((run) => mean(tasks.map((task) => run.tasks.get(task)))),
  }]);
  return { tasks, of: new Map(of) };
}

/** a − b of two regimes' means: the difference, its 95 % interval over test rows, and what it is of b. */
export function difference(a, b) {
  const draws = a.draws.map((value, i) => value - b.draws[i]);
  return { points: a.mean - b.mean, interval: interval(draws), relative: a.mean / b.mean - 1 };
}

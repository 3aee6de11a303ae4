// Figures of regimes from the results of their runs.
import { drawSubsets, interval, meanOf, meanOfSubsets, resample } from "./bootstrap.mjs";
import { SUBSETS } from "./cells.mjs";
import { seedOf } from "./draw.mjs";
import { unpackOutcomes } from "./scores.mjs";
import { mean } from "./statistics.mjs";

export const REGIMES = ["none", "ner-only", "ner-only-long", "tc-only", "tc-only-long", "naive", "naive-weighted", "groups-only", "task-primary", "shipped"];
/** Configurations beside the regimes', each with what it has that task-primary has not: choices for what ships, by dev alone, and ablations. */
export const ABLATIONS = [
  ["task-primary", "k = 3, r = 8, losses 1 : 1, temperature 0.05"],
  ["task-primary-k1", "groups on the last layer alone"],
  ["task-primary-k2", "groups on the last two layers"],
  ["task-primary-r16", "rank 16"],
  ["task-primary-ner3", "NER loss three times"],
  ["task-primary-ner9", "NER loss nine times"],
  ["task-primary-t10", "temperature 0.1"],
  ["shipped", "what ships: 2,720 updates, NER loss three times"],
  ["shared-group", "one group for both families"],
  ["shared-group-ner3", "one group for both families, NER loss three times"],
  ["groups-only", "the backbone frozen"],
  ["groups-only-long", "the backbone frozen, 2,720 updates, NER loss three times"],
  ["pcgrad", "no groups; gradient surgery instead (PCGrad)"],
  ["naive", "no groups"],
  ["naive-ner3", "no groups, NER loss three times"],
  ["naive-weighted", "no groups, NER loss nine times"],
  ["ner-only", "no groups, NER loss alone"],
  ["ner-only-long", "no groups, NER loss alone, 1,440 updates"],
  ["tc-only", "no groups, TC loss alone"],
  ["tc-only-long", "no groups, TC loss alone, 920 updates"],
];

const DRAWS = 1000;

/**
 * Runs (seeds) of a regime under one protocol and share, over the tasks of a family. A run that has cells of some of them only is no part of any
 * mean, which would be of other tasks than its neighbours', but is named.
 * @typedef {{ name: string, seed: number | null, tasks: Map<string, object[]> }} Run cells by task
 * @returns {{ runs: Run[], dropped: { name: string, has: number }[] }} dropped: runs with fewer tasks, and how many they have
 */
export function figuresOf(results, regime, protocol, share, tasks) {
  const names = (task) => (share === 100 ? [`${protocol}/${task}/100`] : SUBSETS.map((subset) => `${protocol}/${task}/${share}/${subset}`));
  const [runs, dropped] = [[], []];
  for (const { header, cells } of results.filter((one) => one.header.regime === regime)) {
    const own = tasks.map((task) => [task, names(task).map((name) => cells.get(name))]);
    const whole = own.filter(([, list]) => list.every((cell) => cell !== undefined));
    if (whole.length === tasks.length) runs.push({ name: header.run, seed: header.seed, tasks: new Map(own) });
    else if (own.some(([, list]) => list.some((cell) => cell !== undefined))) dropped.push({ name: header.run, has: whole.length });
  }
  return { runs, dropped };
}

/**
 * Draws of the runs of regimes: of every task what each run has there, over test rows and subsets that are the same for all.
 * @param {Map<string, Run[]>} regimes
 * @returns {Map<string, { seed: number | null, tasks: Map<string, { metric: number, draws: Float64Array }> }[]>}
 */
export function drawn(regimes, tasks) {
  const all = [...regimes.values()].flat();
  const found = new Map(all.map((run) => [run, { seed: run.seed, tasks: new Map() }]));
  for (const task of all.length === 0 ? [] : tasks) {
    const lists = all.map((run) => run.tasks.get(task));
    const metrics = resample(lists.flatMap((cells) => cells.map(({ outcomes }) => unpackOutcomes(outcomes))), DRAWS, seedOf(task));
    const subsets = drawSubsets(lists[0].length, DRAWS, seedOf(`subsets of ${task}`));
    for (const [i, run] of all.entries()) {
      const draws = meanOfSubsets(metrics.splice(0, lists[i].length), subsets);
      found.get(run).tasks.set(task, { metric: mean(lists[i].map(({ test }) => test)), draws });
    }
  }
  return new Map([...regimes].map(([regime, runs]) => [regime, runs.map((run) => found.get(run))]));
}

/**
 * Means over tasks, run by run.
 * @typedef {{ mean: number, seeds: Map<number | null, { mean: number, draws: Float64Array }> }} Means mean: over the seeds
 * @param {ReturnType<typeof drawn>} regimes
 * @returns {Map<string, Means>}
 */
export function meansOver(regimes, tasks) {
  const of = (run) => ({ mean: mean(tasks.map((task) => run.tasks.get(task).metric)), draws: meanOf(tasks.map((task) => run.tasks.get(task).draws)) });
  return new Map([...regimes].map(([regime, runs]) => {
    const seeds = new Map(runs.map((run) => [run.seed, of(run)]));
    return [regime, { mean: mean([...seeds.values()].map((one) => one.mean)), seeds }];
  }));
}

/** Seeds that both have, in order: a seed's batches are the same in every regime, so that runs of one seed are a pair. What has no seed (`none`) goes with every one. */
export function commonSeeds(a, b) {
  const [own, other] = [[...a.seeds.keys()], [...b.seeds.keys()]];
  if (own.includes(null)) return other;
  return other.includes(null) ? own : own.filter((seed) => other.includes(seed));
}

/**
 * a − b of two regimes' means over the seeds that both have: the difference, its 95 % interval, what it is of b, and seed by seed.
 * @param {Means} a @param {Means} b
 * @returns {{ seeds: (number | null)[], points: number, bySeed: number[], interval: [number, number], relative: number } | null} null where they have no seed in common
 */
export function difference(a, b) {
  const seeds = commonSeeds(a, b);
  if (seeds.length === 0) return null;
  const pairs = seeds.map((seed) => [a, b].map((one) => one.seeds.get(seed) ?? one.seeds.get(null)));
  const bySeed = pairs.map(([own, other]) => own.mean - other.mean);
  const draws = meanOf(pairs.map(([own, other]) => own.draws.map((value, i) => value - other.draws[i])));
  return { seeds, points: mean(bySeed), bySeed, interval: interval(draws), relative: mean(pairs.map(([own]) => own.mean)) / mean(pairs.map(([, other]) => other.mean)) - 1 };
}

// How the two losses' gradients lie to each other, part by part of the backbone, over the probes of a run or of several.
import { deviation, mean, median } from "./statistics.mjs";

/** The part that is all layers together. */
export const WHOLE_BACKBONE = "layers";

/**
 * @typedef {{ part: string, batches: number, probes: number, cosine: number, spread: number, negative: number, ratio: number, ner: number | null, tc: number | null }} Conflict
 *   one a part and a number of batches a probe's mean was over: mean and standard deviation of the cosine, share of negative ones, median
 *   of NER's length over TC's, mean cosine within each family (null for single batches)
 * @param history of `rootstock pretrain`
 * @returns {Conflict[]}
 */
export function conflictOf({ probes }) {
  const measured = probes.flatMap(({ batches, parts }) => parts.map((part) => ({ batches, ...part })));
  return grouped(measured, ({ batches, part }) => `${batches} ${part}`).map((all) => {
    const cosines = all.map(({ cosine }) => cosine);
    const within = (family) => (all.every((one) => one[family] !== null) ? round(mean(all.map((one) => one[family]))) : null);
    return {
      part: all[0].part, batches: all[0].batches, probes: all.length, cosine: round(mean(cosines)), spread: round(deviation(cosines) ?? 0),
      negative: round(cosines.filter((cosine) => cosine < 0).length / all.length), ratio: round(median(all.map(({ ratio }) => ratio))), ner: within("ner"), tc: within("tc"),
    };
  });
}

/**
 * Conflict of every regime, runs of one pooled as if their probes were of one run.
 * @param {{ header: { regime: string, pretraining: { conflict: Conflict[] } | null } }[]} results
 * @returns {(Conflict & { regime: string })[]} in the order of the results
 */
export function pooledConflict(results) {
  const rows = results.flatMap(({ header: { regime, pretraining } }) => (pretraining?.conflict ?? []).map((row) => ({ regime, ...row })));
  return grouped(rows, ({ regime, batches, part }) => `${regime} ${batches} ${part}`).map(pool);
}

/** Ratios are pooled by the mean of their medians. */
function pool(same) {
  const probes = same.reduce((sum, row) => sum + row.probes, 0);
  const weighted = (value) => same.reduce((sum, row) => sum + row.probes * value(row), 0) / probes;
  const cosine = weighted((row) => row.cosine);
  const squares = same.reduce((sum, row) => sum + (row.probes - 1) * row.spread ** 2 + row.probes * (row.cosine - cosine) ** 2, 0);
  const within = (family) => (same.every((row) => row[family] !== null) ? weighted((row) => row[family]) : null);
  return {
    regime: same[0].regime, part: same[0].part, batches: same[0].batches, probes, cosine, spread: probes > 1 ? Math.sqrt(squares / (probes - 1)) : 0,
    negative: weighted((row) => row.negative), ratio: mean(same.map((row) => row.ratio)), ner: within("ner"), tc: within("tc"),
  };
}

/** What has the same key, together, in the order in which keys first come. */
function grouped(all, keyOf) {
  const groups = new Map();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()];
}

function round(value) {
  return Number(value.toPrecision(5));
}

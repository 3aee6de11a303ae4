// How the two losses' gradients lie to each other, part by part of the backbone, over the probes of a run.
import { deviation, mean, median } from "./statistics.mjs";

/**
 * @param history of `rootstock pretrain`
 * @returns {{ part: string, batches: number, probes: number, cosine: number, spread: number, negative: number, ratio: number, ner: number | null, tc: number | null }[]}
 *   one a part and a number of batches a probe's mean was over: mean and standard deviation of the cosine, share of negative ones, median
 *   of NER's length over TC's, mean cosine within each family (null for single batches)
 */
export function conflictOf({ probes }) {
  const groups = new Map();
  for (const { batches, parts } of probes) {
    for (const part of parts) {
      const key = `${batches} ${part.part}`;
      if (!groups.has(key)) groups.set(key, { part: part.part, batches, all: [] });
      groups.get(key).all.push(part);
    }
  }
  return [...groups.values()].map(({ part, batches, all }) => {
    const cosines = all.map(({ cosine }) => cosine);
    const within = (family) => (all.every((one) => one[family] !== null) ? round(mean(all.map((one) => one[family]))) : null);
    return {
      part, batches, probes: all.length, cosine: round(mean(cosines)), spread: round(deviation(cosines) ?? 0),
      negative: round(cosines.filter((cosine) => cosine < 0).length / all.length), ratio: round(median(all.map(({ ratio }) => ratio))), ner: within("ner"), tc: within("tc"),
    };
  });
}

function round(value) {
  return Number(value.toPrecision(5));
}

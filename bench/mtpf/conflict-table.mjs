// How the two losses' gradients lay: runs of a regime pooled; the regimes' part by part, of other configurations the whole of the layers.
import { REGIMES } from "./figures.mjs";
import { markdownTable } from "./marked.mjs";
import { mean } from "./statistics.mjs";
import { minus } from "./wording.mjs";

const WHOLE = "layers";

export function conflictTable(results) {
  const pooled = [...groups(results.filter(({ header }) => (header.pretraining?.conflict ?? []).length > 0), ({ header }) => header.regime)].flatMap(([regime, runs]) => {
    const rows = groups(runs.flatMap(({ header }) => header.pretraining.conflict), ({ part, batches }) => `${batches} ${part}`);
    return [...rows.values()].map((same) => ({ regime, runs: runs.length, ...pool(same) }));
  }).filter(({ regime, part }) => REGIMES.includes(regime) || part === WHOLE);
  if (pooled.length === 0) return ["No run with gradient probes is written."];
  // Agreement within a family is known where a probe is the mean over several batches.
  const within = ["ner", "tc"].filter((family) => pooled.some((row) => row[family] !== null));
  const rows = pooled.map((row) => [
    row.regime, row.part, row.batches, row.probes, `${minus(row.cosine.toFixed(3))} ± ${row.spread.toFixed(3)}`, row.negative.toFixed(2), row.ratio.toFixed(2),
    ...within.map((family) => (row[family] === null ? "" : minus(row[family].toFixed(3)))),
  ]);
  const titles = { ner: "NER with NER", tc: "TC with TC" };
  return [...markdownTable(["regime", "part", "batches", "probes", "cosine", "negative", "norm NER/TC", ...within.map((family) => titles[family])], rows), "", extremes(pooled)];
}

function groups(all, keyOf) {
  const found = new Map();
  for (const one of all) {
    const key = keyOf(one);
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return found;
}

/** Probes of several runs as if of one: ratios by the mean of their medians. */
function pool(same) {
  const probes = same.reduce((sum, row) => sum + row.probes, 0);
  const weighted = (value) => same.reduce((sum, row) => sum + row.probes * value(row), 0) / probes;
  const cosine = weighted((row) => row.cosine);
  const squares = same.reduce((sum, row) => sum + (row.probes - 1) * row.spread ** 2 + row.probes * (row.cosine - cosine) ** 2, 0);
  const within = (family) => (same.every((row) => row[family] !== null) ? weighted((row) => row[family]) : null);
  return {
    part: same[0].part, batches: same[0].batches, probes, cosine, spread: probes > 1 ? Math.sqrt(squares / (probes - 1)) : 0,
    negative: weighted((row) => row.negative), ratio: mean(same.map((row) => row.ratio)), ner: within("ner"), tc: within("tc"),
  };
}

function extremes(rows) {
  const furthest = rows.reduce((most, row) => (Math.abs(row.cosine) > Math.abs(most.cosine) ? row : most));
  const ratios = rows.map(({ ratio }) => ratio).sort((a, b) => a - b);
  return `Furthest from 0 of these mean cosines: ${minus(furthest.cosine.toFixed(3))} (${furthest.regime}, ${furthest.part}). NER's gradient is ${ratios[0].toFixed(2)} to ${ratios.at(-1).toFixed(2)} times as long as TC's.`;
}

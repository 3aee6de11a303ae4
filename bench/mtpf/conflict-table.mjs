// How the two losses' gradients lay: runs of a regime pooled; the regimes' part by part, of other configurations the whole of the layers.
import { pooledConflict, WHOLE_BACKBONE } from "./conflict.mjs";
import { REGIMES } from "./figures.mjs";
import { markdownTable } from "./marked.mjs";
import { minus } from "./wording.mjs";

export function conflictTable(results) {
  const pooled = pooledConflict(results).filter(({ regime, part }) => REGIMES.includes(regime) || part === WHOLE_BACKBONE);
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

function extremes(rows) {
  const furthest = rows.reduce((most, row) => (Math.abs(row.cosine) > Math.abs(most.cosine) ? row : most));
  const ratios = rows.map(({ ratio }) => ratio).sort((a, b) => a - b);
  return `Furthest from 0 of these mean cosines: ${minus(furthest.cosine.toFixed(3))} (${furthest.regime}, ${furthest.part}). NER's gradient is ${ratios[0].toFixed(2)} to ${ratios.at(-1).toFixed(2)} times as long as TC's.`;
}

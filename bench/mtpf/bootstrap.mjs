// Paired bootstrap: every cell of a task is scored on the same test rows, drawn again and again with replacement, and at 10 % every run is
// the mean over the same draws of training rows, drawn with replacement too.
import { randomOf } from "./draw.mjs";
import { metricOf } from "./scores.mjs";

/**
 * @param {{ found: Uint8Array, predicted: Uint8Array, there: Uint8Array }[]} cells outcomes of one task's cells, over the same test rows
 * @param {number} draws
 * @param {number} seed another for each task: tasks of as many rows must not have their draws in common
 * @returns {Float64Array[]} for each cell its metric in each draw; draw n has the same rows in every cell
 */
export function resample(cells, draws, seed) {
  const rows = cells[0].found.length;
  if (cells.some(({ found }) => found.length !== rows)) throw new Error("cells over different test rows cannot be compared");
  const random = randomOf(seed);
  const times = new Uint16Array(rows);
  const metrics = cells.map(() => new Float64Array(draws));
  for (let draw = 0; draw < draws; draw++) {
    times.fill(0);
    for (let i = 0; i < rows; i++) times[Math.floor(random() * rows)]++;
    for (const [c, { found, predicted, there }] of cells.entries()) {
      let [right, guessed, wanted] = [0, 0, 0];
      for (let row = 0; row < rows; row++) {
        const count = times[row];
        right += count * found[row];
        guessed += count * predicted[row];
        wanted += count * there[row];
      }
      metrics[c][draw] = metricOf(right, guessed, wanted);
    }
  }
  return metrics;
}

/** For each draw as many of `count` subsets of training rows as there are, with replacement. @returns {Uint8Array} */
export function drawSubsets(count, draws, seed) {
  const random = randomOf(seed);
  return Uint8Array.from({ length: count * draws }, () => Math.floor(random() * count));
}

/** Mean of a run's cells in each draw: over the subsets that were drawn for it. @param {Float64Array[]} cells one a subset @param {Uint8Array} subsets of `drawSubsets` */
export function meanOfSubsets(cells, subsets) {
  return cells[0].map((_, draw) => {
    let sum = 0;
    for (let i = 0; i < cells.length; i++) sum += cells[subsets[draw * cells.length + i]][draw];
    return sum / cells.length;
  });
}

/** Mean over lists of equal length, place by place. @param {Float64Array[]} lists */
export function meanOf(lists) {
  return lists[0].map((_, i) => lists.reduce((sum, list) => sum + list[i], 0) / lists.length);
}

/** The middle 95 % of values. @returns {[number, number]} */
export function interval(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return [at(0.025), at(0.975)];
}

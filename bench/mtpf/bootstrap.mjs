// Paired bootstrap over test rows: every cell of a task is scored on the same rows, drawn again and again with replacement.
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

// Section E: what raggedness costs. The ragged batch beside batches of as many rows:
// - one of texts of equal length (33 and 34), which also has less attention: Σn² is 35,518 where the ragged batch has 46,608;
// - one of 24 texts of 44 and one of 10 (Σn² = 46,564), whose products and attention are those of the ragged batch.
// The second is the comparison; the matrix products alone are not to be had through the public names (see `--only kernels`).
import { lastLayers } from "../peers/make-adapters.mjs";
import { RAGGED, sum } from "../peers/texts.mjs";
import { interleave } from "../measure.mjs";
import { ms, printGoal, printTable, times } from "../table.mjs";
import { token, withTasks } from "./add-tasks.mjs";

const repeat = (count, value) => Array.from({ length: count }, () => value);
const BATCHES = [
  ["ragged, 32 texts", RAGGED],
  ["even, 24 texts of 44 and one of 10", [...repeat(24, 44), 10]],
  ["even, 32 texts of 33 and 34", [...repeat(22, 33), ...repeat(10, 34)]],
];

export async function raggedness({ encoder, take, rounds }) {
  const batches = BATCHES.map(([name, counts]) => ({ name, counts, texts: take(counts).map(({ text }) => text) }));
  const { texts } = batches[0];
  return withTasks(encoder, [{ ...token, layers: lastLayers(2) }], async (tasks) => {
    const rows = await interleave([
      ...batches.map(({ name, counts, texts }) => {
        const requests = texts.map((text) => ({ text, tasks }));
        return { name: `${name}: one task`, counts, run: () => encoder.runBatch(requests) };
      }),
      { name: "ragged, a text a call: one task", counts: RAGGED, run: async () => {
        for (const text of texts) await encoder.run(text, tasks);
      } },
      ...batches.map(({ name, counts, texts }) => ({ name: `${name}: embed`, counts, run: () => encoder.embed(texts) })),
    ], rounds);
    console.log(`${sum(RAGGED)} rows each; best of ${rounds}`);
    printTable(
      ["", "Σn²", "ms", "µs a token", "of the ragged batch"],
      rows.map(({ name, counts, best }) => {
        const own = rows.find((row) => row.name === `ragged, 32 texts: ${name.endsWith("embed") ? "embed" : "one task"}`);
        return [name, sum(counts.map((n) => n * n)), ms(best), ((best / sum(counts)) * 1000).toFixed(1), times(best / own.best)];
      }),
    );
    printGoal("speed of the ragged batch, of the even one with as much attention", rows[1].best / rows[0].best, 0.95);
    return rows;
  });
}

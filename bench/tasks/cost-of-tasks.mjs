// Section C: N tasks that adapt the last k of L layers, beside (L − k + N·k)/L whole passes.
// Rows: every task has a token head and every token is labelled, so each task needs all rows of the last layer, and none of
// the saving that a text classifier allows is in the figures. The bare pass is `embed`: all rows too, no adapter, a mean
// in place of a head. Tokenising is in both, once a call.
import { LAYERS, lastLayers } from "../peers/make-adapters.mjs";
import { RAGGED } from "../peers/texts.mjs";
import { interleave } from "../measure.mjs";
import { ms, percent, printTable, times } from "../table.mjs";
import { token, withTasks } from "./add-tasks.mjs";

const COUNTS = [1, 2, 4, 8, 16];
const DEPTHS = [1, 2, 3];

export async function costOfTasks({ encoder, take, rounds }) {
  const inputs = [["one text of 32 tokens", [32]], ["one text of 128 tokens", [128]], ["the ragged batch", RAGGED]];
  const makes = DEPTHS.flatMap((k) => Array.from({ length: Math.max(...COUNTS) }, () => ({ ...token, layers: lastLayers(k) })));
  return withTasks(encoder, makes, async (names) => {
    const figures = [];
    for (const [input, counts] of inputs) {
      const rows = await oneInput(encoder, take(counts), names, counts.length === 1 ? rounds * 4 : rounds);
      figures.push({ input, rows });
      console.log(`\n${input}; LoRA rank 8 on query and value, token heads of 9 classes, all rows`);
      printTable(
        ["k  N", "ms", "of a bare pass", "formula", "off by", "of N = 1", "its formula", "off by"],
        rows.map(({ name, best, bare, formula, one, oneFormula }) => [
          name, ms(best), times(bare), times(formula), percent(bare / formula - 1), times(one), times(oneFormula), percent(one / oneFormula - 1),
        ]),
      );
    }
    console.log("(k = 0, N = 0: the bare pass. N = 1 has an adapter and a head besides, so its column shows the fan-out alone.)");
    return figures;
  });
}

async function oneInput(encoder, texts, names, rounds) {
  const only = texts.map(({ text }) => text);
  const ways = DEPTHS.flatMap((k, depth) => COUNTS.map((n) => {
    const tasks = names.slice(depth * Math.max(...COUNTS)).slice(0, n);
    const requests = only.map((text) => ({ text, tasks }));
    return { name: `${k}  ${n}`, k, n, run: () => encoder.runBatch(requests, { aggregation: "simple" }) };
  }));
  const rows = await interleave([{ name: "0  0", k: 0, n: 0, run: () => encoder.embed(only) }, ...ways], rounds);
  const bare = rows[0].best;
  return rows.map((row) => {
    const formula = (LAYERS - row.k + row.n * row.k) / LAYERS;
    const first = rows.find(({ k, n }) => k === row.k && n === Math.min(1, row.n));
    return { ...row, bare: row.best / bare, formula, one: row.best / first.best, oneFormula: formula };
  });
}

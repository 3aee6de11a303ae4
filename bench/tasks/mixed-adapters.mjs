// Section D: sixteen adapters of different kinds in one batch, an adapter a text, beside the same texts with one adapter.
// Adapters differ in what they cost by themselves, so "one adapter" is the mean over the sixteen, each run over all texts.
// All texts have 32 tokens: with lengths that differ, the mean would depend on which text meets which adapter.
import { ALL_TARGETS } from "../peers/make-adapters.mjs";
import { interleave } from "../measure.mjs";
import { ms, printGoal, printTable, times } from "../table.mjs";
import { sequence, token, withTasks } from "./add-tasks.mjs";

const both = [4, 5];
const last = [5];
const KINDS = [
  { kind: "lora", rank: 4, layers: both },
  { kind: "lora", rank: 8, layers: both },
  { kind: "lora", rank: 16, layers: both, targets: ALL_TARGETS },
  { kind: "rslora", rank: 8, layers: both },
  { kind: "rslora", rank: 16, layers: last, targets: ["query", "key", "value"] },
  { kind: "dora", rank: 4, layers: both },
  { kind: "dora", rank: 8, layers: last, targets: ["query", "value", "attentionOutput", "output"] },
  { kind: "ia3", layers: both },
];
const TOKENS = 32;

export async function mixedAdapters({ encoder, take, rounds }) {
  const makes = KINDS.flatMap((kind) => [{ ...token, ...kind }, { ...sequence, ...kind }]);
  return withTasks(encoder, makes, async (names) => {
    const figures = [];
    for (const count of [16, 64]) {
      const texts = take(Array.from({ length: count }, () => TOKENS));
      const batch = (taskOf) => {
        const requests = texts.map(({ text }, index) => ({ text, tasks: [taskOf(index)] }));
        return () => encoder.runBatch(requests);
      };
      const [mixed, ...same] = await interleave([
        { name: "mixed", run: batch((index) => names[index % names.length]) },
        ...names.map((name) => ({ name, run: batch(() => name) })),
      ], rounds);
      const bests = same.map(({ best }) => best);
      const mean = bests.reduce((a, b) => a + b) / bests.length;
      console.log(`\n${count} texts of ${TOKENS} tokens; 8 kinds (LoRA 4, 8, 16; rsLoRA 8, 16; DoRA 4, 8; (IA)³) with a token and a sequence head each; best of ${rounds}`);
      const speed = (value) => ((count / value) * 1000).toFixed(0);
      printTable(
        ["", "ms", "texts/s", "speed of one adapter"],
        [
          ["16 adapters, one a text", ms(mixed.best), speed(mixed.best), times(mean / mixed.best)],
          ["one adapter for all texts: mean of 16", ms(mean), speed(mean), times(1)],
          ["  the fastest of them", ms(Math.min(...bests)), speed(Math.min(...bests)), times(mean / Math.min(...bests))],
          ["  the slowest of them", ms(Math.max(...bests)), speed(Math.max(...bests)), times(mean / Math.max(...bests))],
        ],
      );
      printGoal("speed with mixed adapters, of that with one", mean / mixed.best, 0.95);
      figures.push({ count, mixed, mean, same });
    }
    return figures;
  });
}

// Section F: many calls of one text at once, as a server makes them, beside one call with all texts.
import { lastLayers } from "../peers/make-adapters.mjs";
import { RAGGED } from "../peers/texts.mjs";
import { interleave } from "../measure.mjs";
import { ms, printGoal, printTable, times } from "../table.mjs";
import { sequence, token, withTasks } from "./add-tasks.mjs";

const CALLS = 200;

export async function coalescing({ encoder, take, rounds }) {
  const texts = take(Array.from({ length: CALLS }, (_, i) => RAGGED[i % RAGGED.length])).map(({ text }) => text);
  const makes = [token, sequence, token, sequence].map((head) => ({ ...head, layers: lastLayers(2) }));
  return withTasks(encoder, makes, async (names) => {
    const figures = [];
    for (const [what, tasksOf] of [["one task for all", () => [names[0]]], ["four tasks in turn, one a text", (i) => [names[i % names.length]]]]) {
      const requests = texts.map((text, index) => ({ text, tasks: tasksOf(index) }));
      const rows = await interleave([
        { name: "one runBatch", run: () => encoder.runBatch(requests) },
        { name: `${CALLS} calls of run at once`, run: () => Promise.all(requests.map(({ text, tasks }) => encoder.run(text, tasks))) },
      ], rounds);
      const [batch, calls] = rows;
      console.log(`\n${CALLS} texts, ${what}; best of ${rounds}`);
      printTable(["", "ms", "median", "texts/s", "speed"], rows.map(({ name, best, median }) => [
        name, ms(best), ms(median), ((CALLS / best) * 1000).toFixed(0), times(batch.best / best),
      ]));
      printGoal("speed of the calls, of the batch", batch.best / calls.best, 0.9);
      figures.push({ what, rows });
    }
    return figures;
  });
}

// Runs in a worker of the measured page: an adapter is trained on as many rows as it is asked for.
import { loadEncoder } from "../../dist/index.js";
import { cached } from "../../dist/browser/index.js";
import { trainAdapter } from "../../dist/finetune/index.js";

/** Beginnings and ends of rows, 20 tokens together. What rows say does not change what they cost. */
const BEGINNINGS = ["Yesterday evening I wrote to you because of", "Could one of you please tell me more about", "For the third time this month I ask about", "Nobody at the counter knew anything about"];
const ENDS = ["the bill and the payment of my last order", "the card that was lost near the station", "the rate of exchange for my next journey", "the code that I need for signing in"];

self.onmessage = async ({ data: { rows, epochs } }) => {
  const encoder = await loadEncoder(cached("/models/mtpf-minilm-l6"));
  const train = Array.from({ length: rows }, (_, row) => ({
    text: `${BEGINNINGS[Math.floor(row / ENDS.length) % BEGINNINGS.length]} ${ENDS[row % ENDS.length]} ${row % 10}`,
    label: `topic ${row % ENDS.length}`,
  }));
  const begin = performance.now();
  const { history } = await trainAdapter(encoder, { name: "taught", train }, { epochs });
  const seconds = (performance.now() - begin) / 1000;
  if (history.steps.at(-1).loss > 0.1) throw new Error(`nothing was learned: loss ${history.steps.at(-1).loss}`);
  self.postMessage({ seconds, tokens: history.tokens / (rows * epochs) });
};

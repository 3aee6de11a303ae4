// The pipelines of transformers.js, under Bun: two of them on one encoder.
//   bun examples/bun/tasks.ts "Ana Gomes lost her card in Lisbon."
import { pipeline } from "rootstock/transformers";

const models = `${import.meta.dir}/../../models`;
const text = Bun.argv[2] ?? "Ana Gomes lost her card in Lisbon.";

const ner = await pipeline("ner", `${models}/mtpf-minilm-l6`, { adapter: `${models}/adapters/wikigold` });
const mood = await pipeline("sentiment-analysis", ner, { adapter: `${models}/adapters/vader-sentiment` });

console.log(JSON.stringify({ people: await ner(text, { aggregation_strategy: "simple" }), mood: await mood(text, { top_k: null }) }, null, 2));
await Promise.all([ner.dispose(), mood.dispose()]);

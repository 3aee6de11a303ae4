// Two tasks on one encoder, under Deno. It needs to read the models and the kernels, and nothing else. Outside of this
// repository the import is "npm:rootstock".
//   deno run --allow-read examples/deno/tasks.ts "Ana Gomes lost her card in Lisbon."
import { loadEncoder } from "rootstock";

const models = new URL("../../models/", import.meta.url);
const text = Deno.args[0] ?? "Ana Gomes lost her card in Lisbon.";

const encoder = await loadEncoder(new URL("mtpf-minilm-l6", models));
await encoder.addAdapter("people", new URL("adapters/wikigold", models));
await encoder.addAdapter("mood", new URL("adapters/vader-sentiment", models));

console.log(JSON.stringify(await encoder.run(text, ["people", "mood"]), null, 2));
encoder.dispose();

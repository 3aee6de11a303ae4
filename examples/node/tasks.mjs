// Two tasks on one encoder, from a folder of models.
//   node examples/node/tasks.mjs "Ana Gomes lost her card in Lisbon."
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadEncoder } from "rootstock";

const models = fileURLToPath(new URL("../../models", import.meta.url));
const text = process.argv[2] ?? "Ana Gomes lost her card in Lisbon.";

const encoder = await loadEncoder(`${models}/mtpf-minilm-l6`);
await encoder.addAdapter("people", `${models}/adapters/wikigold`);
await encoder.addAdapter("intent", `${models}/adapters/banking77`);

const { people, intent } = await encoder.run(text, ["people", "intent"]);
for (const { entity_group, word, start, end } of people) console.log(entity_group, word, start, end);
console.log(intent[0].label);

encoder.dispose();

// One cold start: loads the encoder and an adapter, answers one text, prints the time since the process began.
import { loadEncoder } from "../dist/index.js";

const encoder = await loadEncoder(process.argv[2]);
await encoder.addAdapter("people", "models/adapters/wikigold");
const result = await encoder.run("Ana Gomes lost her card in Lisbon.", ["people"]);
const ms = performance.now();
if (result.people.length === 0) throw new Error("no entity found");
console.log(JSON.stringify({ ms, rss: process.resourceUsage().maxRSS * 1024 }));

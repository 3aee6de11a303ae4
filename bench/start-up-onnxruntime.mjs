// One cold start of the peer: opens the session and runs one text of as many tokens, given as ids (no tokeniser, no head).
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(process.argv[2]));
const ids = [101, 9617, 20287, 2439, 2014, 4003, 1999, 11929, 1012, 102];
const tensor = (data) => new ort.Tensor("int64", BigInt64Array.from(data, BigInt), [1, data.length]);
await session.run({ input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)), token_type_ids: tensor(ids.map(() => 0)) });
console.log(JSON.stringify({ ms: performance.now(), rss: process.resourceUsage().maxRSS * 1024 }));
process.exit(0);

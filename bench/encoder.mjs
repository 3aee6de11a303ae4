// The whole encoder beside onnxruntime-web int8, interleaved in one process: best of many rounds for each length.
//   node bench/encoder.mjs --onnx model_int8.onnx [--encoder models/mtpf-minilm-l6] [--kernel rel1|rel2|fixed] [--rounds 40]
// Times are wall-clock of one text's forward pass from input ids to the last hidden state; pin the process to one core.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadEncoder } from "../dist/index.js";

const { values } = parseArgs({
  options: {
    encoder: { type: "string", default: "models/mtpf-minilm-l6" },
    onnx: { type: "string" },
    kernel: { type: "string" },
    rounds: { type: "string", default: "40" },
    lengths: { type: "string", default: "16,32,64,128,256" },
  },
});

const encoder = await loadEncoder(values.encoder, values.kernel === undefined ? {} : { kernel: values.kernel });
const peer = values.onnx === undefined ? null : await openPeer(values.onnx);
const rounds = Number(values.rounds);

console.log(`Node ${process.version}, kernel ${encoder.info.kernel}; best of ${rounds} rounds, ms a text`);
console.log(" tokens  rootstock   tokens/s" + (peer ? "  onnxruntime-web   ratio" : ""));
for (const length of values.lengths.split(",").map(Number)) {
  const ids = Int32Array.from({ length }, (_, i) => (i === 0 ? 101 : i === length - 1 ? 102 : 1000 + ((i * 7919) % 20_000)));
  const feeds = peer?.feeds(ids);
  let own = Infinity;
  let other = Infinity;
  for (let round = 0; round < rounds; round++) {
    own = Math.min(own, await time(() => encoder.forward(ids, null)));
    if (peer) other = Math.min(other, await time(() => peer.run(feeds)));
  }
  const row = [String(length).padStart(7), own.toFixed(2).padStart(10), ((length / own) * 1000).toFixed(0).padStart(10)];
  if (peer) row.push(other.toFixed(2).padStart(16), `${(other / own).toFixed(2)}×`.padStart(7));
  console.log(row.join(" "));
}
if (!peer) console.log("(give --onnx FILE for the comparison)");
encoder.dispose();
process.exit(0);

async function time(step) {
  const start = performance.now();
  await step();
  return performance.now() - start;
}

async function openPeer(path) {
  const ort = await import("onnxruntime-web").catch(() => {
    console.error("onnxruntime-web is not installed: run `npm ci --prefix bench`.");
    process.exit(2);
  });
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(path));
  const tensor = (data) => new ort.Tensor("int64", BigInt64Array.from(data, BigInt), [1, data.length]);
  return {
    feeds: (ids) => ({
      input_ids: tensor(ids),
      attention_mask: tensor(ids.map(() => 1)),
      token_type_ids: tensor(ids.map(() => 0)),
    }),
    run: (feeds) => session.run(feeds),
  };
}

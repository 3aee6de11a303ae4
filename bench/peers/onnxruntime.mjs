// onnxruntime in WebAssembly and native, one thread each, from ids to the last hidden state: no tokeniser, no head.
import { readFileSync } from "node:fs";

/** Sessions of the WebAssembly build, one for each task. */
export async function openWeb(onnx, count) {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  return new Sessions(ort, await sessions(ort, onnx, count, { executionProviders: ["wasm"] }));
}

/** Sessions of the native build (CPU provider), one for each task. */
export async function openNative(onnx, count) {
  const { default: ort } = await import("onnxruntime-node");
  const options = { executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1 };
  return new Sessions(ort, await sessions(ort, onnx, count, options));
}

async function sessions(ort, onnx, count, options) {
  const bytes = readFileSync(onnx);
  const list = [];
  for (let i = 0; i < count; i++) list.push(await ort.InferenceSession.create(bytes, options));
  return list;
}

class Sessions {
  #ort;
  #sessions;

  constructor(ort, list) {
    this.#ort = ort;
    this.#sessions = list;
  }

  /** Every session over every text, a text at a time. Inputs are made beforehand, in the peer's favour. */
  oneByOne(texts) {
    const feeds = texts.map(({ ids }) => this.#feed([ids]));
    return async () => {
      for (const session of this.#sessions) for (const feed of feeds) await session.run(feed);
    };
  }

  /** Every session once over all texts, filled up to the longest and masked. */
  padded(texts) {
    const feed = this.#feed(texts.map(({ ids }) => ids));
    return async () => {
      for (const session of this.#sessions) await session.run(feed);
    };
  }

  /** The mean over a text's rows, to see that the peer runs the same encoder. */
  async mean({ ids }) {
    const { last_hidden_state: state } = await this.#sessions[0].run(this.#feed([ids]));
    const width = state.dims[2];
    return Float32Array.from({ length: width }, (_, column) => {
      let total = 0;
      for (let row = 0; row < ids.length; row++) total += state.data[row * width + column];
      return total / ids.length;
    });
  }

  async close() {
    for (const session of this.#sessions) await session.release();
  }

  #feed(texts) {
    const width = Math.max(...texts.map((ids) => ids.length));
    const tensor = (value) => {
      const data = new BigInt64Array(texts.length * width);
      for (const [row, ids] of texts.entries()) for (const [i, id] of ids.entries()) data[row * width + i] = BigInt(value(id));
      return new this.#ort.Tensor("int64", data, [texts.length, width]);
    };
    return { input_ids: tensor((id) => id), attention_mask: tensor(() => 1), token_type_ids: tensor(() => 0) };
  }
}

// transformers.js from text to the last hidden state, its tokeniser included, a pipeline for each task.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where the library looks for a runtime of its host's, before it takes its own. */
const RUNTIME = Symbol.for("onnxruntime");
const MODEL = "encoder";

/** As it is on Node: with the native onnxruntime. */
export async function openTransformers(onnx, encoderFolder, count) {
  const library = await import("@huggingface/transformers");
  return open(library, onnx, encoderFolder, count, { device: "cpu" });
}

/** As it is in a browser: with onnxruntime-web. On Node it takes that only as the host's own runtime. */
export async function openTransformersWasm(onnx, encoderFolder, count) {
  const ort = await import("onnxruntime-web");
  globalThis[RUNTIME] = ort;
  // A second instance: the library chooses its runtime once, when it is imported.
  const library = await import(`${import.meta.resolve("@huggingface/transformers")}?wasm`).finally(() => delete globalThis[RUNTIME]);
  library.env.useWasmCache = false;
  ort.env.wasm.wasmPaths = undefined; // it had set an address to download from
  ort.env.wasm.numThreads = 1;
  return open(library, onnx, encoderFolder, count, { device: "auto" });
}

async function open({ env, pipeline }, onnx, encoderFolder, count, options) {
  const folder = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
  mkdirSync(join(folder, MODEL, "onnx"), { recursive: true });
  for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json"]) copyFileSync(join(encoderFolder, file), join(folder, MODEL, file));
  symlinkSync(onnx, join(folder, MODEL, "onnx", "model_quantized.onnx"));
  Object.assign(env, { localModelPath: folder, allowRemoteModels: false, useFSCache: false, useBrowserCache: false });
  const list = [];
  try {
    for (let i = 0; i < count; i++) {
      const session_options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
      list.push(await pipeline("feature-extraction", MODEL, { dtype: "q8", session_options, ...options }));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    oneByOne: (texts) => async () => {
      for (const extract of list) for (const { text } of texts) await extract(text, { pooling: "none" });
    },
    padded: (texts) => async () => {
      const all = texts.map(({ text }) => text);
      for (const extract of list) await extract(all, { pooling: "none" });
    },
    async close() {
      for (const extract of list) await extract.dispose();
    },
  };
}

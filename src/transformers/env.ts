import { RootstockError } from "../errors.ts";
import { checkHarmless, type Harmless } from "./construction-options.ts";

/** What transformers.js is configured by, as far as it can be said of Rootstock: values that describe what is so anyway. */
export interface Environment {
  /** No model is downloaded by its name. A folder may be given by its URL all the same; `local_files_only` refuses that. */
  allowRemoteModels: false;
  allowLocalModels: true;
  /** Folders are given by their own path or URL. */
  localModelPath: "" | "." | "./";
  useFS: boolean;
  /** Nothing is cached, unless `cached` of `rootstock/browser` is given as the folder. */
  useBrowserCache: false;
  useFSCache: false;
  useCustomCache: false;
  useWasmCache: false;
  cacheDir: null;
  customCache: null;
  /** Nothing is logged. */
  logLevel: number;
  readonly backends: { readonly onnx: { readonly wasm: { numThreads: 0 | 1; proxy: false; simd: true }; /** Nothing of it is taken. */ readonly webgpu: object } };
}

const NO_CACHE = { values: [false], because: 'nothing is cached, unless the folder is given as cached(url) of "rootstock/browser"' };
const BY_NAME = { values: [], because: "models are not downloaded by name: give pipeline() the path or URL of a folder" };
const ONE_BY_ONE = { values: [], because: "settings are given one by one, as in env.backends.onnx.wasm.numThreads = 1" };

const FIELDS = {
  allowRemoteModels: { ...BY_NAME, values: [false] },
  allowLocalModels: { ...BY_NAME, values: [true] },
  localModelPath: { values: ["", ".", "./"], because: "pipeline() is given the whole path or URL of a folder" },
  remoteHost: BY_NAME,
  remotePathTemplate: BY_NAME,
  fetch: { values: [], because: "folders that are read in another way are given to pipeline() as objects with open(file)" },
  useFS: { values: [true, false], because: "files are read where there is a file system" },
  useBrowserCache: NO_CACHE,
  useFSCache: NO_CACHE,
  useCustomCache: NO_CACHE,
  useWasmCache: NO_CACHE,
  cacheDir: { ...NO_CACHE, values: [null] },
  customCache: { ...NO_CACHE, values: [null] },
  logLevel: { values: [10, 20, 30, 40, 50], because: "nothing is logged" },
  backends: ONE_BY_ONE,
};

const ONNX = "there is no ONNX Runtime, and one thread computes a text (rootstock/pool has several)";
const WASM_FIELDS = {
  numThreads: { values: [0, 1], because: ONNX },
  proxy: { values: [false], because: ONNX },
  simd: { values: [true], because: ONNX },
};
const NO_GPU = { values: [], because: "all is computed on the CPU" };
const WEBGPU_FIELDS = { adapter: NO_GPU, device: NO_GPU, forceFallbackAdapter: NO_GPU, powerPreference: NO_GPU, validateInputContent: NO_GPU };

/** An object whose fields take the values that change nothing, and keep their own: none is replaced, added or taken away. */
function settings<T extends object>(where: string, held: T, fields: Readonly<Record<string, Harmless>>): T {
  const refuse = (_: T, name: string | symbol): never => {
    throw new RootstockError("argument-invalid", `${where}.${String(name)} cannot be defined anew or deleted: ${where} holds no state.`);
  };
  return new Proxy(held, {
    defineProperty: refuse,
    deleteProperty: refuse,
    set: (_, name, value: unknown) => {
      const field = Object.hasOwn(fields, name) ? fields[name as string] : undefined;
      if (field === undefined) throw new RootstockError("argument-invalid", `${where} has no field ${String(name)}; it has ${Object.keys(fields).join(", ")}.`);
      checkHarmless(`${where}.${String(name)}`, value, field);
      return true;
    },
  });
}

const wasm = settings<Environment["backends"]["onnx"]["wasm"]>("env.backends.onnx.wasm", { numThreads: 1, proxy: false, simd: true }, WASM_FIELDS);
const webgpu = settings("env.backends.onnx.webgpu", {}, WEBGPU_FIELDS);
const onnx = settings("env.backends.onnx", { wasm, webgpu }, { wasm: ONE_BY_ONE, webgpu: ONE_BY_ONE });

/**
 * For programs that configure transformers.js: a field takes the values that are so anyway and refuses all others (`argument-invalid`) with
 * the reason. It holds no state: options are given to `pipeline`.
 */
export const env: Environment = settings(
  "env",
  {
    allowRemoteModels: false,
    allowLocalModels: true,
    localModelPath: "",
    useFS: true,
    useBrowserCache: false,
    useFSCache: false,
    useCustomCache: false,
    useWasmCache: false,
    cacheDir: null,
    customCache: null,
    logLevel: 50,
    backends: settings("env.backends", { onnx }, { onnx: ONE_BY_ONE }),
  },
  FIELDS,
);

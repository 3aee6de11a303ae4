// The encoder lives in this worker, so that typing never waits for it. One message is one call: { id, method, args }, answered by
// { id, result } or { id, error }; { abort: id } ends a call that is under way.
import { loadEncoder } from "rootstock";
import { cached, clearCache } from "rootstock/browser";

const MODELS = new URL("/models/", self.location.href);
const running = new Map();
let encoder = null;
/** Adapters that were trained here, by name. */
const taught = new Map();

const methods = {
  async load(_args, { signal, report }) {
    encoder?.dispose();
    const start = performance.now();
    encoder = await loadEncoder(cached(new URL("mtpf-minilm-l6", MODELS)), { signal, onProgress: report });
    return { ms: performance.now() - start, info: encoder.info };
  },

  async add({ name, adapter }, { signal }) {
    const start = performance.now();
    const source = taught.get(name) ?? cached(new URL(`adapters/${adapter}`, MODELS));
    await encoder.addAdapter(name, source, { signal, replace: true });
    return { ms: performance.now() - start, info: encoder.info };
  },

  async remove({ name }) {
    await encoder.removeAdapter(name);
    return { info: encoder.info };
  },

  /** Tasks over a text in two steps, to time them apart: the layers that tasks share, then each task's own. */
  async run({ text, tasks }, { signal }) {
    const options = { signal, overflow: "windows", topK: 3 };
    const { tasks: known } = encoder.info;
    // A task that changes the first layer shares none; the trunk is for the others.
    const sharing = tasks.filter((name) => known.find((task) => task.name === name).firstLayer > 0);
    const start = performance.now();
    const trunk = sharing.length > 0 ? await encoder.trunk(text, { signal, overflow: "windows", tasks: sharing }) : null;
    const middle = performance.now();
    try {
      const results = await encoder.run(trunk ?? text, tasks, trunk === null ? options : { signal, topK: 3 });
      return { results, sharedMs: middle - start, ownMs: performance.now() - middle, info: encoder.info };
    } finally {
      trunk?.dispose();
    }
  },

  /**
   * Trains an adapter on this very encoder, which goes on answering between two passes: a second one would take as much memory again.
   * The code of training is fetched at the first call.
   * @param numbers what the rows are called in messages
   */
  async train({ name, train, dev, numbers, options }, { signal, report }) {
    const { trainAdapter } = await import("rootstock/train");
    const nameRow = (set, row) => `row ${numbers[set][row - 1]}`;
    const trained = await trainAdapter(encoder, { name, train, dev, nameRow }, { ...options, signal, onProgress: report });
    taught.set(name, trained);
    return { history: trained.history, files: trained.files };
  },

  async forget() {
    return clearCache();
  },
};

self.addEventListener("message", async ({ data }) => {
  if (data.abort !== undefined) return running.get(data.abort)?.abort();
  const { id, method, args } = data;
  const controller = new AbortController();
  running.set(id, controller);
  const report = (progress) => self.postMessage({ id, progress });
  try {
    const result = await methods[method](args, { signal: controller.signal, report });
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, code: error.code, message: error.message } });
  } finally {
    running.delete(id);
  }
});

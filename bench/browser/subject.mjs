// Runs in the measured page, and in a worker of it. The library is imported within the measured time.
import { LABEL, TEXT } from "../runtimes/text.mjs";

const SHORT = "Ana Gomes lost her card in Lisbon.";
const BOTH = { people: "wikigold", intent: "banking77" };

async function open(adapters) {
  const { loadEncoder, cached } = await import("./rootstock.js");
  const encoder = await loadEncoder(cached("/models/mtpf-minilm-l6"));
  for (const [name, folder] of Object.entries(adapters)) await encoder.addAdapter(name, cached(`/models/adapters/${folder}`));
  return encoder;
}

/** From before the page is opened to the first entities and label, in milliseconds. */
async function first() {
  const encoder = await open(BOTH);
  const { intent } = await encoder.run(TEXT, Object.keys(BOTH));
  const ms = performance.now();
  if (intent[0].label !== LABEL) throw new Error(`the intent is ${intent[0].label}, not ${LABEL}`);
  return { ms, kernel: encoder.info.kernel };
}

const subjects = {
  /** From the import of the library to the first entities, in milliseconds. */
  async start() {
    const begin = performance.now();
    const encoder = await open({ people: "wikigold" });
    const { people } = await encoder.run(SHORT, ["people"]);
    const ms = performance.now() - begin;
    if (people.length !== 2) throw new Error("the entities are not those that are expected");
    return { ms, kernel: encoder.info.kernel, linear: encoder.info.memory.total };
  },

  /** What a page opened with "#first" began by itself. */
  first: () => globalThis.first,

  /** Sorted milliseconds of many runs of 32 tokens. */
  async run({ tasks, rounds }) {
    const encoder = await open(BOTH);
    const times = [];
    for (let round = 0; round < rounds + 5; round++) {
      const begin = performance.now();
      await encoder.run(TEXT, tasks);
      if (round >= 5) times.push(performance.now() - begin);
    }
    encoder.dispose();
    return times.sort((a, b) => a - b);
  },

  async forget() {
    const { clearCache } = await import("./rootstock.js");
    return clearCache();
  },

  /** One of these in a worker. */
  worker: ({ name, args }) =>
    new Promise((resolve, reject) => {
      const worker = new Worker("subject.js", { type: "module" });
      worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ name, args });
    }),
};

if (typeof document === "undefined") self.onmessage = async ({ data: { name, args } }) => self.postMessage(await subjects[name](args));
else globalThis.subjects = subjects;
if (globalThis.location.hash === "#first") globalThis.first = first();

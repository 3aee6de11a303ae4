// Runs in the measured page, and in a worker of it. The library is imported within the measured time.
const TEXT = "Ana Gomes lost her card in Lisbon.";
/** 32 tokens with the special ones. */
const LONGER = "Ana Gomes wrote from Lisbon that her card was stolen on Friday near the old museum, and she asks the bank to block it before noon today.";

async function open(adapters) {
  const { loadEncoder, cached } = await import("./rootstock.js");
  const encoder = await loadEncoder(cached("/models/minilm-l6"));
  for (const [name, folder] of Object.entries(adapters)) await encoder.addAdapter(name, cached(`/models/adapters/${folder}`));
  return encoder;
}

const subjects = {
  /** From the import of the library to the first entities, in milliseconds. */
  async start() {
    const begin = performance.now();
    const encoder = await open({ people: "wikigold-lora" });
    const { people } = await encoder.run(TEXT, ["people"]);
    const ms = performance.now() - begin;
    if (people.length !== 2) throw new Error("the entities are not those that are expected");
    return { ms, kernel: encoder.info.kernel, linear: encoder.info.memory.total };
  },

  /** Sorted milliseconds of many runs of 32 tokens. */
  async run({ tasks, rounds }) {
    const encoder = await open({ people: "wikigold-lora", intent: "banking77-rslora" });
    const times = [];
    for (let round = 0; round < rounds + 5; round++) {
      const begin = performance.now();
      await encoder.run(LONGER, tasks);
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

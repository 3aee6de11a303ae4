// The determinism case: what every runtime must compute alike, down to the bit. No Node here: the encoder, the model
// files and the texts come from whoever runs it, in a script, a page, or a worker.

/** The shipped adapters, in the order they are hashed. */
export const ADAPTERS = ["wikigold-lora", "snips-slots-lora-all", "banking77-rslora", "clinc150-lora-pattern", "vader-dora", "sms-spam-ia3"];

/** The int8 products; an engine without relaxed SIMD has only the first. */
export const KERNELS = ["fixed", "rel1", "rel2"];

/**
 * Runs the case once for each product that the engine has.
 *
 * @param {object} given
 * @param {typeof import("rootstock").loadEncoder} given.loadEncoder
 * @param {(folder: string) => import("rootstock").SourceLike} given.source what to load for "minilm-l6" and "adapters/<name>"
 * @param {readonly { text: string, ids: readonly number[] }[]} given.texts texts.json, or its first entries
 * @param {readonly string[]} [given.kernels] default: all three
 * @param {import("rootstock").LoadOptions} [given.load] further options of `loadEncoder` (kernel binaries)
 * @returns {Promise<{ texts: number, kernels: Record<string, null | { logits: string, states: string, vectors: string, results: string }> }>}
 *   hexadecimal SHA-256 for each product, null for one that the engine does not have
 */
export async function runCase({ loadEncoder, source, texts, kernels = KERNELS, load = {} }) {
  const found = {};
  for (const kernel of kernels) found[kernel] = await runKernel({ loadEncoder, source, texts, load: { ...load, kernel } });
  return { texts: texts.length, kernels: found };
}

async function runKernel({ loadEncoder, source, texts, load }) {
  const encoder = await loadEncoder(source("minilm-l6"), load);
  try {
    if (encoder.info.kernel !== load.kernel) return null;
    for (const name of ADAPTERS) await encoder.addAdapter(name, source(`adapters/${name}`));
    const logits = new Chain();
    const states = new Chain();
    for (const { ids } of texts) {
      for (const name of ADAPTERS) {
        await logits.add([await encoder.logits(ids, name)]);
        await states.add(await encoder.hiddenStates(ids, name));
      }
    }
    const vectors = new Chain();
    await vectors.add(await encoder.embed(texts.map(({ text }) => text), { overflow: "truncate" }));
    const results = new Chain();
    const requests = texts.map(({ text }) => ({ text, tasks: ADAPTERS }));
    for (const result of await encoder.runBatch(requests, { aggregation: "average", topK: 3, overflow: "truncate" })) {
      await results.add([new TextEncoder().encode(JSON.stringify(result))]);
    }
    return { logits: await logits.end(), states: await states.end(), vectors: await vectors.end(), results: await results.end() };
  } finally {
    encoder.dispose();
  }
}

/** SHA-256 over the SHA-256 of each entry: `crypto.subtle` takes no input in parts, and all states are 150 MB. */
class Chain {
  #digests = [];

  async add(arrays) {
    const bytes = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const { buffer, byteOffset, byteLength } of arrays) {
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
    this.#digests.push(await sha256(bytes));
  }

  async end() {
    const all = new Uint8Array(this.#digests.length * 32);
    for (const [index, digest] of this.#digests.entries()) all.set(digest, index * 32);
    return [...(await sha256(all))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

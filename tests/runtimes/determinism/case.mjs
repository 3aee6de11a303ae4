// The determinism case: what every runtime must compute alike, down to the bit. No Node here: the encoder, the model
// files and the texts come from whoever runs it, in a script, a page, or a worker.

/** Folders of the project: the encoder that ships, and adapters of every kind (LoRA on some and on all linear layers, rsLoRA, patterns, DoRA, (IA)³). */
const ENCODER = "models/mtpf-minilm-l6";
const KINDS = "tests/golden/adapters";

/** In the order they are hashed. */
export const ADAPTERS = ["wikigold-lora", "snips-slots-lora-all", "banking77-rslora", "clinc150-lora-pattern", "vader-dora", "sms-spam-ia3"];

/** The int8 products; an engine without relaxed SIMD has only the first. */
export const KERNELS = ["fixed", "rel1", "rel2"];

/**
 * Runs the case once for each product that the engine has.
 *
 * @param {object} given
 * @param {typeof import("rootstock").loadEncoder} given.loadEncoder
 * @param {(folder: string) => import("rootstock").SourceLike} given.source what to load for a folder of the project
 * @param {readonly { text: string, ids: readonly number[] }[]} given.texts texts.json, or its first entries
 * @param {readonly string[]} [given.kernels] default: all three
 * @param {import("rootstock").LoadOptions} [given.load] further options of `loadEncoder` (kernel binaries)
 * @returns {Promise<{ texts: number, kernels: Record<string, null | { logits: string, states: string, vectors: string, results: string }> }>}
 *   hexadecimal SHA-256 for each product, null for one that the engine does not have
 */
export async function runCase({ loadEncoder, source, texts, kernels = KERNELS, load = {} }) {
  const found = {};
  for (const kernel of kernels) {
    const run = await openProduct({ loadEncoder, source, load: { ...load, kernel } });
    try {
      await run?.add(texts);
      found[kernel] = (await run?.end()) ?? null;
    } finally {
      run?.dispose();
    }
  }
  return { texts: texts.length, kernels: found };
}

/**
 * One product's part of the case, for hosts that take the texts a few at a time (a worker's requests): in order, whatever
 * their number, the hashes are those of all at once, because a text's bits do not depend on what runs beside it.
 *
 * @param {object} given as for `runCase`; `load.kernel` names the product
 * @returns {Promise<ProductRun | null>} null where the engine does not have it
 */
export async function openProduct({ loadEncoder, source, load }) {
  const encoder = await loadEncoder(source(ENCODER), load);
  const run = new ProductRun(encoder);
  if (encoder.info.kernel === load.kernel) {
    for (const name of ADAPTERS) await encoder.addAdapter(name, source(`${KINDS}/${name}`));
    return run;
  }
  run.dispose();
  return null;
}

class ProductRun {
  #encoder;
  #logits = new Chain();
  #states = new Chain();
  #results = new Chain();
  #rows = [];

  constructor(encoder) {
    this.#encoder = encoder;
  }

  async add(texts) {
    for (const { ids } of texts) {
      for (const name of ADAPTERS) {
        await this.#logits.add([await this.#encoder.logits(ids, name)]);
        const states = await this.#encoder.hiddenStates(ids, name);
        await this.#states.add(states);
        // 5 MB of a long text, which would lie there until the next collection, and a worker has 128 MB. Node 20 cannot.
        for (const { buffer } of states) buffer.transfer?.(0);
      }
    }
    this.#rows.push(...(await this.#encoder.embed(texts.map(({ text }) => text), { overflow: "truncate" })));
    const requests = texts.map(({ text }) => ({ text, tasks: ADAPTERS }));
    for (const result of await this.#encoder.runBatch(requests, { aggregation: "average", topK: 3, overflow: "truncate" })) {
      await this.#results.add([new TextEncoder().encode(JSON.stringify(result))]);
    }
  }

  async end() {
    const vectors = new Chain();
    await vectors.add(this.#rows);
    return { logits: await this.#logits.end(), states: await this.#states.end(), vectors: await vectors.end(), results: await this.#results.end() };
  }

  dispose() {
    this.#encoder.dispose();
  }
}

/**
 * SHA-256 over the SHA-256 of each entry: `crypto.subtle` takes no input in parts, and all states are 150 MB. The bytes of
 * every entry go into one buffer that only grows, so that they do not pile up either.
 */
class Chain {
  #digests = [];
  #buffer = new Uint8Array(0);

  async add(arrays) {
    const size = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (size > this.#buffer.length) this.#buffer = new Uint8Array(size);
    let at = 0;
    for (const { buffer, byteOffset, byteLength } of arrays) {
      this.#buffer.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
    this.#digests.push(await sha256(this.#buffer.subarray(0, size)));
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

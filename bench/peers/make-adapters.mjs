// PEFT folders in memory, as PEFT writes them, with small seeded random numbers: what an adapter costs does not depend on
// what it was trained for, and the trained ones of the repository do not all adapt the same layers.

/** Sizes of all-MiniLM-L6-v2. */
const HIDDEN = 384;
const INTERMEDIATE = 1536;
export const LAYERS = 6;

const MODULES = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attentionOutput: "attention.output.dense",
  intermediate: "intermediate.dense",
  output: "output.dense",
};
export const ALL_TARGETS = Object.keys(MODULES);

/** The last k layers. */
export const lastLayers = (k) => Array.from({ length: k }, (_, i) => LAYERS - k + i);

/**
 * An adapter of LoRA or one of its relatives.
 *
 * @param targets of MODULES; "output" needs "attentionOutput" beside it, as PEFT matches names by their ending
 * @param head "token" (a classifier on each row) or "sequence" (on the encoder's pooler)
 * @param kind "lora", "rslora", "dora" or "ia3" (which has no rank, and its own targets: key, value, output)
 * @returns file name → bytes, which `addAdapter` takes
 */
export function makeAdapter({ seed, head, classes, layers, kind = "lora", rank = 8, targets = ["query", "value"] }) {
  const random = generator(seed);
  const tensors = new Map();
  const config = kind === "ia3" ? ia3(layers, tensors, random) : lora({ kind, rank, layers, targets }, tensors, random);
  tensors.set("classifier.weight", small([classes, HIDDEN], random));
  tensors.set("classifier.bias", small([classes], random));
  const id2label = Object.fromEntries(labels(head, classes).map((label, id) => [id, label]));
  return new Map([
    ["adapter_config.json", json({ ...config, task_type: head === "token" ? "TOKEN_CLS" : "SEQ_CLS", modules_to_save: ["classifier", "score"] })],
    ["config.json", json({ id2label })],
    ["adapter_model.safetensors", safetensors(tensors)],
  ]);
}

function lora({ kind, rank, layers, targets }, tensors, random) {
  for (const [path, inputs, outputs] of linears(layers, targets)) {
    tensors.set(`${path}.lora_A.weight`, small([rank, inputs], random));
    tensors.set(`${path}.lora_B.weight`, small([outputs, rank], random));
    if (kind === "dora") tensors.set(`${path}.lora_magnitude_vector`, aroundOne([outputs], random));
  }
  return {
    peft_type: "LORA",
    r: rank,
    lora_alpha: 16,
    use_rslora: kind === "rslora",
    use_dora: kind === "dora",
    bias: "none",
    target_modules: targets.map((target) => MODULES[target]),
    layers_to_transform: layers,
    layers_pattern: "layer",
  };
}

/** (IA)³ has no `layers_to_transform`: expressions name the layers. */
function ia3(layers, tensors, random) {
  for (const [path, , outputs] of linears(layers, ["key", "value"])) tensors.set(`${path}.ia3_l`, aroundOne([outputs, 1], random));
  for (const [path, inputs] of linears(layers, ["output"])) tensors.set(`${path}.ia3_l`, aroundOne([1, inputs], random));
  const which = `.*layer\\.(${layers.join("|")})`;
  return {
    peft_type: "IA3",
    target_modules: `${which}\\.(attention\\.self\\.(key|value)|output\\.dense)`,
    feedforward_modules: `${which}\\.output\\.dense`,
  };
}

function linears(layers, targets) {
  return layers.flatMap((layer) => targets.map((target) => [
    `bert.encoder.layer.${layer}.${MODULES[target]}`,
    target === "output" ? INTERMEDIATE : HIDDEN,
    target === "intermediate" ? INTERMEDIATE : HIDDEN,
  ]));
}

/** NER labels as BIO has them; the classes of a token head are odd in number. */
function labels(head, classes) {
  if (head === "sequence") return Array.from({ length: classes }, (_, i) => `class-${i}`);
  return ["O", ...Array.from({ length: (classes - 1) / 2 }, (_, i) => [`B-T${i}`, `I-T${i}`]).flat()];
}

const tensor = (shape, value) => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, value) });
const small = (shape, random) => tensor(shape, () => (random() - 0.5) * 0.04);
const aroundOne = (shape, random) => tensor(shape, () => 0.95 + random() * 0.1);

function safetensors(tensors) {
  const header = {};
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    header[`base_model.model.${name}`] = { dtype: "F32", shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const text = JSON.stringify(header);
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8)); // the numbers begin on a multiple of 8
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const numbers = [...tensors.values()].map(({ data }) => new Uint8Array(data.buffer));
  return new Uint8Array(Buffer.concat([length, head, ...numbers]));
}

const json = (value) => new TextEncoder().encode(JSON.stringify(value));

/** xorshift32: the same numbers on every engine. */
function generator(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

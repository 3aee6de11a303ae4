// What transformers.js itself gives, for tests/transformers: its own pipelines and tokeniser, over logits and states that this
// encoder gives for the ids, since no public model has these heads; an ONNX file of any BERT, for the events of its loading.
//   npm ci --prefix bench && npm run build
//   node scripts/make-transformers-goldens.mjs all-MiniLM-L6-v2-int8.onnx
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadEncoder } from "../dist/index.js";

const onnx = resolve(process.argv[2]);
const entry = createRequire(resolve("bench/package.json")).resolve("@huggingface/transformers");
const library = await import(pathToFileURL(entry.replace(/\.cjs$/, ".mjs")).href);
const { AutoTokenizer, env, FeatureExtractionPipeline, pipeline, quantize_embeddings, Tensor, TextClassificationPipeline, TokenClassificationPipeline } = library;

const ENCODER = "models/mtpf-minilm-l6";
const ENTITIES = ["My name is Marie Curie and I live in London.", "Tim Cook met Angela Merkel of Germany in New York City.", "nothing to see here", "İstanbul 🙂 Zürich"];
const MOODS = ["I love transformers!", "That was the worst film of the year.", "It rained."];
const FEATURES = ["This is a simple test.", "Cats purr.", "A considerably longer sentence about rivers, mountains and the sea."];

const folder = mkdtempSync(join(tmpdir(), "rootstock-goldens-"));
mkdirSync(join(folder, "encoder", "onnx"), { recursive: true });
for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json"]) copyFileSync(join(ENCODER, file), join(folder, "encoder", file));
symlinkSync(onnx, join(folder, "encoder", "onnx", "model_quantized.onnx"));
Object.assign(env, { localModelPath: folder, allowRemoteModels: false, useFSCache: false });

const encoder = await loadEncoder(ENCODER);
await encoder.addAdapter("entities", "models/adapters/wikigold");
await encoder.addAdapter("mood", "models/adapters/vader-sentiment");
const tokenizer = await AutoTokenizer.from_pretrained("encoder");

/** A model in transformers.js's sense: `of` gives the numbers of one text's ids, `width` for each token (or for the text); padding has zeros. */
function modelOf(output, of, width, isOfTokens, config) {
  const run = async ({ input_ids, attention_mask }) => {
    const [texts, tokens] = input_ids.dims;
    const rows = isOfTokens ? tokens : 1;
    const all = new Float32Array(texts * rows * width);
    for (let text = 0; text < texts; text++) {
      const ids = [...input_ids.data.slice(text * tokens, (text + 1) * tokens)].map(Number);
      const length = [...attention_mask.data.slice(text * tokens, (text + 1) * tokens)].map(Number).reduce((a, b) => a + b);
      all.set(await of(ids.slice(0, length)), text * rows * width);
    }
    return { [output]: new Tensor("float32", all, isOfTokens ? [texts, tokens, width] : [texts, width]) };
  };
  return Object.assign(run, { config, dispose: async () => {} });
}

function headOf(task, isOfTokens) {
  const labels = encoder.info.tasks.find(({ name }) => name === task).labels;
  return modelOf("logits", (ids) => encoder.logits(ids, task), labels.length, isOfTokens, { id2label: Object.fromEntries(labels.entries()) });
}

const ner = new TokenClassificationPipeline({ task: "token-classification", model: headOf("entities", true), tokenizer });
const mood = new TextClassificationPipeline({ task: "text-classification", model: headOf("mood", false), tokenizer });
const states = modelOf("last_hidden_state", (ids) => encoder.forward(ids, null), encoder.info.hidden, true, {});
const features = new FeatureExtractionPipeline({ task: "feature-extraction", model: states, tokenizer });

/** A call and what it gave. */
async function calls(pipe, list) {
  const out = [];
  for (const [input, options] of list) out.push({ input, options, output: await pipe(input, options) });
  return out;
}

const short = (values) => Array.from(values, (value) => Number(value.toFixed(6)));
const tensors = [];
for (const [input, options] of [
  [FEATURES[0], {}],
  [FEATURES, {}],
  [FEATURES[0], { pooling: "mean", normalize: true }],
  [FEATURES, { pooling: "mean", normalize: true }],
  [FEATURES, { pooling: "mean" }],
  [FEATURES, { pooling: "cls", normalize: true }],
  [FEATURES, { pooling: "mean", quantize: true }],
  [FEATURES, { pooling: "mean", quantize: true, precision: "ubinary" }],
]) {
  const { type, dims, data } = await features(input, options);
  // Of all tokens the shape is enough; a text's own rows are held against PyTorch elsewhere.
  tensors.push({ input, options, type, dims, ...(dims.length === 2 ? { data: short(data) } : {}) });
}
const signs = short((await features(FEATURES[0], { pooling: "mean" })).data);
const packed = Object.fromEntries(["binary", "ubinary"].map((precision) => [precision, [...quantize_embeddings(new Tensor("float32", new Float32Array(signs), [1, signs.length]), precision).data]]));

const progress = [];
await (await pipeline("feature-extraction", "encoder", { dtype: "q8", progress_callback: (info) => progress.push(info) })).dispose();

const golden = {
  reference: `@huggingface/transformers ${JSON.parse(readFileSync(join(entry, "../../package.json"), "utf8")).version}`,
  entities: await calls(ner, [
    [ENTITIES[0], {}],
    [ENTITIES, {}],
    [[ENTITIES[0]], {}],
    [ENTITIES[2], {}],
    [ENTITIES[0], { ignore_labels: [] }],
    [ENTITIES[0], { ignore_labels: ["O", "B-LOC"] }],
    [ENTITIES[1], { aggregation_strategy: "simple" }],
    [ENTITIES, { aggregation_strategy: "simple" }],
  ]),
  mood: await calls(mood, [
    [MOODS[0], {}],
    [MOODS[0], { top_k: 1 }],
    [MOODS[0], { top_k: 2 }],
    [MOODS[0], { top_k: null }],
    [[MOODS[0]], {}],
    [MOODS, {}],
    [MOODS, { top_k: 2 }],
    [MOODS, { top_k: null }],
    [MOODS, { top_k: 5 }],
  ]),
  tensors,
  packed: { values: signs, ...packed },
  // Which keys an event of each kind has, and in which order the kinds of one file come.
  progress: { keys: Object.fromEntries(progress.map((info) => [info.status, Object.keys(info).sort()])), order: [...new Set(progress.filter(({ file }) => file === "onnx/model_quantized.onnx").map(({ status }) => status))], last: progress.at(-1).status },
};
await features.dispose();
encoder.dispose();
rmSync(folder, { recursive: true });
mkdirSync("tests/golden/transformers", { recursive: true });
writeFileSync("tests/golden/transformers/pipelines.json", `${JSON.stringify(golden)}\n`);

// A BERT encoder with an adapter in plain float64, one text at a time: what gradients are compared with by differences.
import { encoderModules } from "../../src/format/encoder-modules.ts";
import type { EncoderConfig, LayerLinear } from "../../src/format/types.ts";
import { layerModules } from "../../src/train/group.ts";

export type Matrix = number[][];
/** Every parameter by name, row-major. */
export type Values = ReadonlyMap<string, Float64Array>;

/** The slots' constants: what the parameters do not say. */
export interface Twin64 {
  readonly config: EncoderConfig;
  readonly group: string;
  /** s of the low-rank terms. */
  readonly scale: number;
  /** Norms that DoRA divides by, by slot name: constants of the gradient. */
  readonly norms: ReadonlyMap<string, Float64Array>;
  /** u scales the input of these parts; (IA)³ scales the output of others. */
  readonly feedforward: readonly LayerLinear[];
}

/** What dropout makes of one text's values: the library's draws, at the places where transformers' BERT has its dropout and PEFT its own. */
export interface Drops {
  rows(kind: "hidden" | "lora" | "classifier", place: number, x: Matrix): Matrix;
  /** The factor of the weight that a query gives one of `keys` keys. */
  weight(layer: number, head: number, query: number, key: number, keys: number): number;
}

export const NO_DROPS: Drops = { rows: (_, __, x) => x, weight: () => 1 };

/** The numbers by which the library tells places apart: 16 a layer, and those outside of layers. */
const PLACE_OF_PART: Readonly<Record<LayerLinear, number>> = { query: 0, key: 1, value: 2, attentionOutput: 3, intermediate: 4, output: 5 };
const [AFTER_ATTENTION, AFTER_OUTPUT, AFTER_EMBEDDINGS] = [8, 9, -2];

const column = (x: Float64Array, rows: number, i: number): number[] => Array.from(x.subarray(i * (x.length / rows), (i + 1) * (x.length / rows)));

/** W·v for a row-major W. */
function times(w: Float64Array, v: readonly number[]): number[] {
  return Array.from({ length: w.length / v.length }, (_, r) => v.reduce((sum, value, k) => sum + w[r * v.length + k]! * value, 0));
}

/** ‖W + s·BA‖ of each row. */
export function slotNorms(w: Float64Array, a: Float64Array, b: Float64Array, rank: number, scale: number): Float64Array {
  const depth = a.length / rank;
  return Float64Array.from({ length: w.length / depth }, (_, row) => {
    const sum = column(w, w.length / depth, row).map((value, k) => value + scale * Array.from({ length: rank }, (__, r) => b[row * rank + r]! * a[r * depth + k]!).reduce((x, y) => x + y, 0));
    return Math.hypot(...sum);
  });
}

function linear(twin: Twin64, values: Values, path: string, part: LayerLinear | null, x: Matrix, dropped: Matrix = x): Matrix {
  const own = (suffix: string): Float64Array | undefined => values.get(`${twin.group}/${path}.${suffix}`);
  const [w, b] = [values.get(`backbone/${path}.weight`)!, values.get(`backbone/${path}.bias`)!];
  const [down, up, magnitude, ia3] = [own("lora_A.weight"), own("lora_B.weight"), own("lora_magnitude_vector"), own("ia3_l")];
  const c = own("bias") ?? b;
  const scalesInput = ia3 !== undefined && part !== null && twin.feedforward.includes(part);
  return x.map((row, at) => {
    const y = times(w, scalesInput ? row.map((value, k) => value * ia3[k]!) : row);
    const low = down && up ? times(up, times(down, dropped[at]!)) : [];
    return y.map((value, i) => {
      const z = value + twin.scale * (low[i] ?? 0);
      if (magnitude) return (magnitude[i]! / twin.norms.get(`${twin.group}/${path}`)![i]!) * z + c[i]!;
      if (ia3 && !scalesInput) return ia3[i]! * (z + c[i]!);
      return z + c[i]!;
    });
  });
}

function norm(gamma: Float64Array, beta: Float64Array, epsilon: number, x: Matrix): Matrix {
  return x.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * gamma[i]! + beta[i]!);
  });
}

/** erf by its Maclaurin series: exact to 1e-13 for |x| up to 4, which these sizes do not leave. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 * sum) / Math.sqrt(Math.PI);
}

export const ACTIVATIONS = {
  gelu: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  "gelu-tanh": (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x: number) => Math.max(x, 0),
  tanh: Math.tanh,
};

const add = (x: Matrix, y: Matrix): Matrix => x.map((row, i) => row.map((value, k) => value + y[i]![k]!));

function attention({ heads, headSize }: EncoderConfig, q: Matrix, k: Matrix, v: Matrix, factor: (head: number, query: number, key: number) => number): Matrix {
  return q.map((query, at) => {
    const out: number[] = [];
    for (let head = 0; head < heads; head++) {
      const columns = Array.from({ length: headSize }, (_, d) => head * headSize + d);
      const scores = k.map((key) => columns.reduce((sum, d) => sum + query[d]! * key[d]!, 0) / Math.sqrt(headSize));
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const d of columns) out.push(weights.reduce((sum, weight, j) => sum + (weight / total) * factor(head, at, j) * v[j]![d]!, 0));
    }
    return out;
  });
}

function layer(twin: Twin64, values: Values, drops: Drops, index: number, x: Matrix): Matrix {
  const { config } = twin;
  const modules = layerModules(config, index);
  const through = (part: LayerLinear, from: Matrix): Matrix =>
    linear(twin, values, modules.get(part)!.path, part, from, drops.rows("lora", index * 16 + PLACE_OF_PART[part], from));
  const normalise = (part: "attentionNorm" | "outputNorm", from: Matrix): Matrix => {
    const { path } = modules.get(part)!;
    return norm(values.get(`backbone/${path}.weight`)!, values.get(`backbone/${path}.bias`)!, config.epsilon, from);
  };
  const factor = (head: number, query: number, key: number): number => drops.weight(index, head, query, key, x.length);
  const context = attention(config, through("query", x), through("key", x), through("value", x), factor);
  const attended = normalise("attentionNorm", add(drops.rows("hidden", index * 16 + AFTER_ATTENTION, through("attentionOutput", context)), x));
  const active = through("intermediate", attended).map((row) => row.map(ACTIVATIONS[config.activation]));
  return normalise("outputNorm", add(drops.rows("hidden", index * 16 + AFTER_OUTPUT, through("output", active)), attended));
}

/** The last state of one text: [tokens][hidden]. */
export function lastState(twin: Twin64, values: Values, ids: readonly number[], drops: Drops = NO_DROPS): Matrix {
  const { config } = twin;
  const table = (name: string): Float64Array => values.get(`backbone/embeddings.${name}.weight`)!;
  const width = config.embeddingSize;
  const row = (name: string, id: number): number[] => Array.from(table(name).subarray(id * width, (id + 1) * width));
  const type = config.typeVocabulary > 0 ? row("token_type_embeddings", 0) : [];
  const sums = ids.map((id, position) => row("word_embeddings", id).map((value, k) => value + row("position_embeddings", position + config.positionOffset)[k]! + (type[k] ?? 0)));
  let x = drops.rows("hidden", AFTER_EMBEDDINGS, norm(table("LayerNorm"), values.get("backbone/embeddings.LayerNorm.bias")!, config.epsilon, sums));
  const projection = encoderModules(config).find(({ name }) => name === "embeddings.projection");
  if (projection !== undefined) x = linear(twin, values, projection.path, null, x);
  for (let index = 0; index < config.layers; index++) x = layer(twin, values, drops, index, x);
  return x;
}

/** A dense layer by its parameters' name. */
export function dense(values: Values, name: string, x: Matrix, f: (x: number) => number = (y) => y): Matrix {
  return x.map((row) => times(values.get(`${name}.weight`)!, row).map((value, i) => f(value + values.get(`${name}.bias`)![i]!)));
}

/** −log softmax(z)[label]. */
export function crossEntropy(z: readonly number[], label: number): number {
  const largest = Math.max(...z);
  return largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0)) - z[label]!;
}

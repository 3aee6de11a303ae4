import { RootstockError } from "../errors.ts";
import { checkChoice } from "../runtime/options.ts";
import { checkFlag, checkNames, signalOption, textList, type CallOptions } from "./call-options.ts";
import type { Pipeline } from "./made-pipeline.ts";
import { firstRow, lastRow, meanRow, scaleRows, signBits } from "./pooling.ts";
import type { Residence } from "./residence.ts";
import { Tensor, type TensorData } from "./tensor.ts";

const POOLINGS = ["none", "mean", "cls", "first_token", "eos", "last_token"] as const;
const PRECISIONS = ["binary", "ubinary"] as const;
const OPTIONS = ["pooling", "normalize", "quantize", "precision", "overflow", "signal"];

export interface FeatureExtractionOptions extends Pick<CallOptions, "signal"> {
  /**
   * What is made of a text's hidden states: `"none"` (default) leaves them, tokens × hidden; else one vector, their mean,
   * the first token's (`"cls"`, `"first_token"`), or the last token's (`"eos"`, `"last_token"`).
   */
  readonly pooling?: (typeof POOLINGS)[number] | undefined;
  /** Scale each vector to length 1. Default false. */
  readonly normalize?: boolean | undefined;
  /** Keep of each number only whether it is above 0, eight of them in a byte, the first in the highest bit. Default false. */
  readonly quantize?: boolean | undefined;
  /** Bytes of `quantize`: 0 … 255 (`"ubinary"`), or these less 128 (`"binary"`, default). */
  readonly precision?: (typeof PRECISIONS)[number] | undefined;
  /** A text of more tokens than the encoder reads: leave its end out (default), or refuse it (`text-too-long`). */
  readonly overflow?: "error" | "truncate" | undefined;
}

type Quantized<Options> = "quantize" extends keyof Options ? Options["quantize"] : false;

type TensorOf<IsQuantized> = [IsQuantized] extends [true] ? Tensor<Int8Array | Uint8Array> : true extends IsQuantized ? Tensor : Tensor<Float32Array>;

/** Float32, or bytes where `quantize` is true. */
export type FeatureExtractionOutput<Options = FeatureExtractionOptions> = TensorOf<Quantized<Options>>;

export interface FeatureExtractionPipeline extends Pipeline<"feature-extraction"> {
  <const Options extends FeatureExtractionOptions = {}>(texts: string | readonly string[], options?: Options): Promise<FeatureExtractionOutput<Options>>;
}

/** A tensor of texts × tokens × hidden, rows of zeros after a text's own; or texts × hidden where they are pooled. */
export async function extractFeatures(residence: Residence, task: string | null, texts: string | readonly string[], options: FeatureExtractionOptions): Promise<Tensor> {
  checkNames(options, OPTIONS, "feature-extraction");
  const pooling = checkChoice(options.pooling ?? "none", "pooling", POOLINGS);
  const precision = checkChoice(options.precision ?? "binary", "precision", PRECISIONS);
  const overflow = checkChoice(options.overflow ?? "truncate", "overflow", ["truncate", "error"] as const);
  const { hidden } = residence.encoder.info;
  const normalize = checkFlag(options.normalize ?? false, "normalize");
  const isQuantized = checkFlag(options.quantize ?? false, "quantize");
  if (isQuantized && (pooling === "none" || hidden % 8 !== 0)) {
    throw new RootstockError("argument-invalid", "quantize packs one vector a text, of a multiple of 8 numbers: give a pooling.");
  }
  const call = { overflow, task, ...signalOption(options.signal) };
  const list = textList(texts);
  const isEmbedding = pooling === "mean" && normalize;
  const pool = poolingOf(pooling);
  const keep = (rows: Float32Array): Float32Array => (normalize ? scaleRows(pool(rows, hidden), hidden) : pool(rows, hidden));
  const found = await residence.run(call.signal, (encoder) => (isEmbedding ? encoder.embed(list, { ...call, pooling: "mean", maxTokens: encoder.info.maxTokens }) : encoder.textStates(list, call, keep)));
  if (pooling === "none") return padded(found, hidden);
  const all = new Float32Array(list.length * hidden);
  for (const [index, vector] of found.entries()) all.set(vector, index * hidden);
  return isQuantized ? new Tensor<TensorData>(signBits(all, precision), [list.length, hidden / 8]) : new Tensor<TensorData>(all, [list.length, hidden]);
}

function padded(states: readonly Float32Array[], hidden: number): Tensor {
  const longest = states.reduce((most, { length }) => Math.max(most, length), 0);
  const all = new Float32Array(states.length * longest);
  for (const [index, rows] of states.entries()) all.set(rows, index * longest);
  return new Tensor<TensorData>(all, [states.length, longest / hidden, hidden]);
}

function poolingOf(pooling: (typeof POOLINGS)[number]): typeof meanRow {
  if (pooling === "none") return (rows) => rows;
  if (pooling === "mean") return meanRow;
  return pooling === "cls" || pooling === "first_token" ? firstRow : lastRow;
}

/**
 * What the format room hands on: descriptions that have been checked, never raw JSON.
 * A description points into a file by byte offsets; it holds no tensor data.
 */

/** What weights are stored in by others. */
export type FloatDtype = "F32" | "F16" | "BF16";
/**
 * And what a converted encoder stores besides F32 (U8, I8); the rest of the format's types are laid out and bounds-checked, and refused where a
 * weight is read (`tensor-dtype`).
 */
export type Dtype = FloatDtype | "U8" | "I8" | "BOOL" | "F8_E5M2" | "F8_E4M3" | "I16" | "U16" | "I32" | "U32" | "F64" | "I64" | "U64";

/** One tensor of a safetensors file. Row-major, little-endian. */
export interface TensorInfo {
  /** As written in the file. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly start: number;
  /** One past the last byte, counted from the start of the file. */
  readonly end: number;
}

export interface SafetensorsFile {
  /** Where the data section starts, counted from the start of the file. */
  readonly headerBytes: number;
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** `__metadata__`; empty when absent. */
  readonly metadata: ReadonlyMap<string, string>;
}

export type Family = "bert" | "distilbert" | "roberta" | "xlm-roberta" | "albert" | "electra";
/** "gelu" is the erf form; "gelu-tanh" the tanh approximation. */
export type Activation = "gelu" | "gelu-tanh" | "relu";
/** "single": softmax over labels; "multi": a sigmoid each; "regression": raw numbers. */
export type ProblemType = "single" | "multi" | "regression";

export interface EncoderConfig {
  readonly family: Family;
  /** Layers that are run. */
  readonly layers: number;
  /** Layers that are stored: 1 for ALBERT (shared), otherwise `layers`. */
  readonly storedLayers: number;
  readonly hidden: number;
  readonly heads: number;
  /** hidden / heads. */
  readonly headSize: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** Tokens that one text may have: rows of the position table minus `positionOffset`. */
  readonly maxPositions: number;
  /** Row of the position table that the first token uses: pad + 1 for RoBERTa and XLM-R, otherwise 0. */
  readonly positionOffset: number;
  /** Rows of the token-type table; 0 when the family has none (DistilBERT). */
  readonly typeVocabulary: number;
  /** Width of the embedding tables; differs from `hidden` only when factorised (ALBERT, ELECTRA). */
  readonly embeddingSize: number;
  /** Whether a linear layer brings the embeddings to `hidden` (always for ALBERT; ELECTRA when the widths differ). */
  readonly projection: boolean;
  readonly activation: Activation;
  /** LayerNorm epsilon. */
  readonly epsilon: number;
  readonly padId: number;
}

/** Linear layers of one transformer layer. */
export type LayerLinear = "query" | "key" | "value" | "attentionOutput" | "intermediate" | "output";
/** LayerNorms of one transformer layer. */
export type LayerNormPart = "attentionNorm" | "outputNorm";
export type EmbeddingTable = "word" | "position" | "type";

/** A linear layer of the encoder. `layer` counts stored layers; it is null outside the layers. */
export type Site =
  | { readonly layer: number; readonly part: LayerLinear }
  | { readonly layer: null; readonly part: "projection" | "pooler" };

/** A LayerNorm of the encoder; `layer` is null for the one of the embeddings. */
export type NormSite =
  | { readonly layer: number; readonly part: LayerNormPart }
  | { readonly layer: null; readonly part: "norm" };

/**
 * Tensors of an encoder under their canonical names:
 * `embeddings.word.weight`, `embeddings.position.weight`, `embeddings.type.weight`, `embeddings.norm.{weight,bias}`,
 * `embeddings.projection.{weight,bias}`, `layer.N.PART.{weight,bias}` (N counts stored layers), `pooler.{weight,bias}`.
 */
export interface EncoderTensors {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Whether the file has a pooler (sentence-encoder and token-classification checkpoints may lack it). */
  readonly pooler: boolean;
}

/**
 * One adapted linear layer as y = g ∘ (W(u ∘ x) + scale·up(down x)) + c. What is absent is the identity:
 * u = inputScale; g = outputScale, or magnitude / rownorm(W + scale·up·down) for DoRA; c = the base bias, replaced by
 * `bias`, plus scale·upBias, and times outputScale for (IA)³.
 */
export interface AdapterSite {
  readonly site: Site;
  /** Rows of `down`; 0 when there is no low-rank term. */
  readonly rank: number;
  /** alpha/r, or alpha/√r with rsLoRA; 0 when there is no low-rank term. */
  readonly scale: number;
  /** (rank, in) */
  readonly down?: TensorInfo;
  /** (out, rank) */
  readonly up?: TensorInfo;
  /** (out): `lora_bias`, scaled like the low-rank term. */
  readonly upBias?: TensorInfo;
  /** (out): DoRA. */
  readonly magnitude?: TensorInfo;
  /** (out): replaces the base layer's bias. */
  readonly bias?: TensorInfo;
  /** in values, saved as (1, in): (IA)³ on a feed-forward input. */
  readonly inputScale?: TensorInfo;
  /** out values, saved as (out, 1): (IA)³ on an output; it scales the base bias as well. */
  readonly outputScale?: TensorInfo;
}

/** Low-rank term of an embedding table: row(id) += scale · up · down[:, id]. */
export interface EmbeddingSite {
  readonly part: EmbeddingTable;
  readonly rank: number;
  readonly scale: number;
  /** (rank, rows of the table) */
  readonly down: TensorInfo;
  /** (embeddingSize, rank) */
  readonly up: TensorInfo;
}

export interface LinearTensors {
  /** (out, in) */
  readonly weight: TensorInfo;
  /** (out) */
  readonly bias: TensorInfo;
}

/**
 * A head as transformers' ForSequenceClassification / ForTokenClassification classes have it.
 * "token": classifier on each row. "sequence": on the first row, through
 * - pooler (tanh) of the encoder or `pooler` of the adapter: BERT, ALBERT;
 * - `dense` with `denseActivation`: DistilBERT (relu), RoBERTa and XLM-R (tanh), ELECTRA (gelu, erf form).
 */
export interface HeadDescription {
  readonly kind: "sequence" | "token";
  /** Rows of the classifier. */
  readonly labels: number;
  /** (labels, hidden), (labels) */
  readonly classifier: LinearTensors;
  /** (hidden, hidden), (hidden) */
  readonly dense?: LinearTensors;
  readonly denseActivation?: "relu" | "tanh" | "gelu";
  /** Replaces the encoder's pooler. */
  readonly pooler?: LinearTensors;
}

export interface AdapterDescription {
  readonly sites: readonly AdapterSite[];
  readonly normBias: readonly { readonly site: NormSite; readonly bias: TensorInfo }[];
  readonly embeddingSites: readonly EmbeddingSite[];
  readonly head: HeadDescription | null;
  /**
   * First layer whose result differs from the bare encoder's: -1 = the embeddings, `layers` = none (head only).
   * Layers below it are the trunk. Counts layers that are run: an adapted ALBERT layer makes it 0.
   */
  readonly firstAdaptedLayer: number;
  /** The pass goes through the encoder's own pooler weights (the head replaces them otherwise). */
  readonly needsPooler: boolean;
}

/** `sha256:` and 64 hexadecimal digits. */
export type Fingerprint = `sha256:${string}`;

/** Hashes of a file cut into pieces of `bytes` (the last one shorter), so that a download can be checked as it arrives. */
export interface ManifestPieces {
  readonly bytes: number;
  readonly sha256: readonly string[];
}

export interface ManifestFile {
  readonly size: number;
  readonly sha256: string;
  readonly pieces?: ManifestPieces;
  /** The file lies in the folder as `NAME.part0`, `NAME.part1`, … of that many bytes, the last one shorter. */
  readonly partBytes?: number;
}

/** How an encoder makes sentence vectors. */
export interface SentenceConfig {
  /** "mean" of all rows, "cls" for the first one; anything else names, for a message, what is asked for and not supported. */
  readonly pooling: string;
  /** Most tokens of a text, special tokens included; the encoder's positions when absent. */
  readonly maxTokens?: number;
  /** Texts are made lower case first. */
  readonly lowerCase?: boolean;
}

export type QuantizationValue = string | number | boolean;

/** rootstock.json of a converted encoder. */
export interface Manifest {
  readonly format: 1;
  /** Of the source weights. */
  readonly fingerprint: Fingerprint;
  /** By file name (no folders). */
  readonly files: ReadonlyMap<string, ManifestFile>;
  /** What the source's files of sentence-transformers say; absent where it had none. */
  readonly sentence?: SentenceConfig;
  /** Report of how the weights were rounded; information only. */
  readonly quantization: ReadonlyMap<string, QuantizationValue>;
}

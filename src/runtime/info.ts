/** A task as `encoder.info` shows it. */
export interface TaskInfo {
  readonly name: string;
  /** "sequence": one result a text. "token": entities. null: the adapter has no head. */
  readonly kind: "sequence" | "token" | null;
  /** In the order of the head's classes; empty without a head. */
  readonly labels: readonly string[];
  /** Bytes of its numbers. */
  readonly bytes: number;
  /** In linear memory? Otherwise it waits on the heap and comes back when it is asked for. */
  readonly resident: boolean;
  /** First layer that the adapter changes, from 0; those below are shared. −1 when it changes the embeddings. */
  readonly firstLayer: number;
}

/** What `encoder.info` tells: sizes, the kernel in use, memory, tasks. A copy; it does not follow later changes. */
export interface EncoderInfo {
  /** bert, distilbert, roberta, xlm-roberta, albert or electra. */
  readonly family: string;
  /** Layers that are run. */
  readonly layers: number;
  /** Numbers in a token's row. */
  readonly hidden: number;
  /** Attention heads of a layer. */
  readonly heads: number;
  /** Width of the feed-forward layer. */
  readonly intermediate: number;
  /** Input ids are 0 … vocabulary − 1. */
  readonly vocabulary: number;
  /** Most tokens of one text, special tokens included. */
  readonly maxTokens: number;
  /** Which int8 product runs: rel2, rel1 or fixed. */
  readonly kernel: string;
  /** Why another product was passed over; empty when none was. */
  readonly notes: readonly string[];
  /** `sha256:` and 64 hexadecimal digits, of the source weights (docs/format.md). */
  readonly fingerprint: string;
  /** Was the folder in the converted form? */
  readonly converted: boolean;
  /** Bytes of linear memory, in all and its parts, and of what waits outside it. */
  readonly memory: {
    readonly total: number;
    readonly weights: number;
    readonly workspace: number;
    readonly adapters: number;
    readonly adapterBudget: number;
    /** On the JavaScript heap: adapters beyond the budget. */
    readonly parkedAdapters: number;
    /** On the JavaScript heap: what `trunkCacheBytes` allows, as far as it is used. */
    readonly trunkCache: number;
  };
  readonly tasks: readonly TaskInfo[];
}

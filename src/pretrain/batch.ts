/** A sentence as it is trained on. */
export interface SentenceText {
  /** Special tokens included. */
  readonly ids: Int32Array;
  /** Tokens that have a label, rising, and their classes. */
  readonly read: Int32Array;
  readonly labels: Int32Array;
  /** Classes that the softmax is over, one byte each; null: all are. */
  readonly allowed: Uint8Array | null;
}

/** Token ids of two texts that belong together. */
export interface PairText {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** What one update is made of; null where a family takes no part. */
export interface UpdateBatch {
  readonly ner: readonly SentenceText[] | null;
  readonly tc: readonly PairText[] | null;
}

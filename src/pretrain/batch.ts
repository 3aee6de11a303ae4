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

/**
 * Cuts a list into `count` runs of about the same number of tokens, in order: a run ends with the text in which its share of all tokens ends.
 * @returns count + 1 borders, the first 0, the last the list's length
 */
export function cutByTokens(lengths: readonly number[], count: number): number[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const borders = [0];
  let sum = 0;
  for (const [i, length] of lengths.entries()) {
    sum += length;
    while (borders.length < count && sum * count >= total * borders.length) borders.push(i + 1);
  }
  while (borders.length <= count) borders.push(lengths.length);
  return borders;
}

/** Cuts [first, end) into passes of at most `rows` token rows. */
export function cutPasses(lengths: readonly number[], first: number, end: number, rows: number): [first: number, end: number][] {
  const passes: [number, number][] = [];
  for (let from = first; from < end; ) {
    let [to, sum] = [from, 0];
    while (to < end && (to === from || sum + lengths[to]! <= rows)) sum += lengths[to++]!;
    passes.push([from, to]);
    from = to;
  }
  return passes;
}

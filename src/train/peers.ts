import { describe, RootstockError } from "../errors.ts";

/**
 * Those who train one model together. Every peer runs the same program over the same rows with the same seed, in the same order; they
 * differ only in which parts of a batch each computes, and hold the same parameters after every update.
 */
export interface Peers {
  /** 0 to `size` − 1. */
  readonly rank: number;
  readonly size: number;
  /** Sums every peer's `values` in the order of ranks (fixed, so that timing has no effect) and leaves the same sums in all of them. */
  sum(values: Float32Array): Promise<void> | void;
}

/** One peer, with nobody to sum with. */
export const ALONE: Peers = { rank: 0, size: 1, sum() {} };

/** The option `peers` of a program. @throws RootstockError `argument-invalid`: with a rank of nobody no text would be trained on, without a word. */
export function checkPeers(given: Peers | undefined): Peers {
  if (given === undefined) return ALONE;
  const { rank, size, sum } = Object(given) as Partial<Peers>;
  if (Number.isSafeInteger(size) && Number.isSafeInteger(rank) && rank! >= 0 && rank! < size! && typeof sum === "function") return given;
  throw new RootstockError("argument-invalid", `peers is ${describe(given)}; give what runPeer hands over: rank, size and sum. How many there are is withPeers' first argument.`);
}

/** The parts of a batch that a peer computes, [first, end): shares in the order of ranks that differ by one part at most. */
export function shareOf({ rank, size }: Pick<Peers, "rank" | "size">, parts: number): readonly [first: number, end: number] {
  return [Math.floor((parts * rank) / size), Math.floor((parts * (rank + 1)) / size)];
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

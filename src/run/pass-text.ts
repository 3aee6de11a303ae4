import type { ScoreFunction } from "../heads/classify.ts";
import type { AdapterPlan } from "../model/slot.ts";

/** A text in a pass, and everything that it is asked for. */
export interface PassText {
  /** Token ids, special tokens included. */
  readonly ids: ArrayLike<number>;
  /** 1 = attend, 0 = leave out as a key; all 1 when absent. */
  readonly mask?: ArrayLike<number> | undefined;
  readonly branches: readonly Branch[];
  /** Where its trunk is taken from, or kept; no branch may part from a kept one below its depth. Not with a mask. */
  readonly trunk?: TrunkState | undefined;
}

/** A text's state before layer `depth`, f32 [tokens][hidden]; null until a pass has made it. */
export interface TrunkState {
  readonly depth: number;
  rows: Float32Array | null;
}

/** One adapter over one text. */
export interface Branch {
  /** null: the bare encoder. Its plan is looked up when the pass begins: adapters move. */
  readonly adapter: { readonly plan: AdapterPlan } | null;
  /** Rows of the last state that are wanted; no others are computed. */
  readonly read: Reading;
  readonly output: Output;
  /** Instead of the output, when the numbers overflow. */
  readonly fail: (error: unknown) => void;
}

/** Token rows of a text's last state: the first token's, all of them, or those of the tokens listed in rising order. */
export type Reading = "first" | "all" | Int32Array;

/** What becomes of the rows that are read, in rising order. `take` gets an array of its own. */
export type Output =
  /** rows × classes of the adapter's head */
  | { readonly kind: "scores"; readonly apply: ScoreFunction; readonly take: (scores: Float32Array) => void }
  /** rows × hidden */
  | { readonly kind: "states"; readonly take: (rows: Float32Array) => void }
  /** hidden: the mean of all rows */
  | { readonly kind: "mean"; readonly take: (mean: Float32Array) => void };

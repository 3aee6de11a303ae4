/** Scratch sizes of the kernels that need working space; each formula stands beside its kernel too. */

import { alignUp } from "./memory.ts";

/**
 * Bytes of scratch that `attention` writes for one text of `keys` tokens, whatever the number of queries and heads:
 * one head's packed keys and values, and a block of 8 queries with its scores, output and row terms
 * (assembly/f32/attention.ts draws them).
 *
 * @param keys     tokens attended to, >= 1
 * @param headSize columns of one head, >= 1
 */
export function attentionScratchBytes(keys: number, headSize: number): number {
  const wholeKeys = alignUp(keys, 4);
  const wholeColumns = alignUp(headSize, 4);
  const packed = wholeKeys * headSize + keys * wholeColumns;
  const block = 8 * (headSize + wholeKeys + wholeColumns + 1);
  return 4 * (packed + block);
}

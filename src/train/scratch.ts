/**
 * Bytes of scratch that the training kernels `attentionForward` and `attentionBackward` write for one text (assembly/train/attention.ts
 * draws them).
 *
 * @param queries  rows that attend, >= 1
 * @param keys     rows attended to, >= 1
 * @param headSize columns of one head, >= 1
 */
export function trainAttentionBytes(queries: number, keys: number, headSize: number): number {
  const width = Math.ceil(keys / 8) * 8;
  return 4 * (width * headSize + 3 * queries * width);
}

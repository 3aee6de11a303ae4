export function roundPlain(weight: Float32Array, outFeatures: number, inFeatures: number): { codes: Int8Array; scales: Float32Array } {
  const codes = new Int8Array(weight.length);
  const scales = new Float32Array(outFeatures);
  for (let o = 0; o < outFeatures; o++) {
    let largest = 0;
    for (let k = 0; k < inFeatures; k++) largest = Math.max(largest, Math.abs(weight[o * inFeatures + k]!));
    scales[o] = largest / 63;
    const inverse = largest === 0 ? 0 : 63 / largest;
    for (let k = 0; k < inFeatures; k++) codes[o * inFeatures + k] = Math.round(weight[o * inFeatures + k]! * inverse);
  }
  return { codes, scales };
}

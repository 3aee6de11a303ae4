import { RootstockError } from "../errors.ts";

/** `values` as they are. @throws RootstockError `tensor-value` on NaN or infinity, which would poison every score. */
export function finite(values: Float32Array, tensor: { readonly name: string }): Float32Array {
  if (isFiniteArray(values)) return values;
  throw new RootstockError("tensor-value", `the tensor "${tensor.name}" holds NaN or infinity. Take the file from a sound copy or training run.`);
}

/** Are there only numbers in `values`, no NaN or infinity? */
export function isFiniteArray(values: Float32Array): boolean {
  let zero = 0;
  // x − x is 0 for every number but NaN and the infinities; one pass without a branch (1 ns a value).
  for (let i = 0; i < values.length; i++) zero += values[i]! - values[i]!;
  return zero === 0;
}

import { RootstockError } from "../errors.ts";

/** `values` as they are. @throws RootstockError `tensor-value` on NaN or infinity, which would poison every score. */
export function finite(values: Float32Array, tensor: { readonly name: string }): Float32Array {
  let zero = 0;
  // x − x is 0 for every number but NaN and the infinities; one pass without a branch (1 ns a value).
  for (let i = 0; i < values.length; i++) zero += values[i]! - values[i]!;
  if (zero === 0) return values;
  throw new RootstockError("tensor-value", `the tensor "${tensor.name}" holds NaN or infinity. Take the file from a sound copy or training run.`);
}

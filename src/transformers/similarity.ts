import { describe, RootstockError } from "../errors.ts";

/** The sum of products of two vectors. @throws RootstockError `argument-invalid` when their lengths differ, or they have none (a `Tensor`'s numbers are its `data`). */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (const vector of [a, b]) {
    if (!Number.isInteger(Object(vector).length)) throw new RootstockError("argument-invalid", `a vector is ${describe(vector)} without a length; give numbers: a tensor's are its .data.`);
  }
  if (a.length !== b.length) throw new RootstockError("argument-invalid", `the vectors have ${a.length} and ${b.length} numbers; they must have as many.`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The cosine of the angle between two vectors, −1 to 1. @throws RootstockError `argument-invalid` as `dot`. */
export function cos_sim(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)));
}

/**
 * The only place where sizes read from a file are multiplied, added or aligned. Every result is a safe integer or the call
 * throws `limit-exceeded`: a product that wraps is how a 384-byte file becomes an out-of-bounds read.
 */

import { RootstockError } from "../errors.ts";

function checked(result: number, what: string): number {
  // NaN and fractions from bad operands fail here too, as does anything above 2^53 - 1.
  if (!Number.isSafeInteger(result) || result < 0 || Object.is(result, -0)) {
    throw new RootstockError(
      "limit-exceeded",
      `${what}: the size is not a whole number from 0 to 2^53 - 1; the file is damaged or not meant for this library.`,
    );
  }
  return result;
}

/** a · b. Both must be safe non-negative integers. */
export function multiply(a: number, b: number, what: string): number {
  // A rounded double product never falls below 2^53 when the true one is above, so checking the result is enough.
  return checked(checked(a, what) * checked(b, what), what);
}

/** a + b. Both must be safe non-negative integers. */
export function add(a: number, b: number, what: string): number {
  return checked(checked(a, what) + checked(b, what), what);
}

/** The smallest multiple of `alignment` that is at least `size`; `alignment` is a positive safe integer. */
export function align(size: number, alignment: number, what: string): number {
  if (checked(alignment, what) === 0) throw new RootstockError("limit-exceeded", `${what}: alignment is 0.`);
  const rest = checked(size, what) % alignment;
  return rest === 0 ? size : checked(size + (alignment - rest), what);
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[], what: string): number {
  let count = 1;
  for (const dimension of shape) count = multiply(count, dimension, what);
  return count;
}

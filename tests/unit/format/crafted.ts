/** Files made byte by byte, and the question "which error, and does it say where?". */

import { expect } from "vitest";
import { RootstockError, type ErrorCode } from "../../../src/errors.ts";
import type { Dtype, TensorInfo } from "../../../src/format/types.ts";

/** Runs and returns the error's code, or "accepted". Anything but a RootstockError is rethrown: it is a defect. */
export function outcome(run: () => unknown): ErrorCode | "accepted" {
  try {
    run();
  } catch (error) {
    if (error instanceof RootstockError) return error.code;
    throw error;
  }
  return "accepted";
}

/** Expects exactly this code and a message that holds each of the words. */
export function expectError(run: () => unknown, code: ErrorCode, ...words: string[]): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RootstockError);
  const error = thrown as RootstockError;
  expect(error.code, error.message).toBe(code);
  for (const word of words) expect(error.message).toContain(word);
}

/** Length field, the header text as it is, `dataBytes` zeros. */
export function fileOf(header: string | Uint8Array, dataBytes: number): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

/** A tensor list as a parsed file would give it, laid out one after another. */
export function tensorMap(shapes: Iterable<readonly [string, readonly number[]]>, dtype: Dtype = "F32"): Map<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  let position = 64;
  for (const [name, shape] of shapes) {
    const end = position + shape.reduce((a, b) => a * b, dtype === "F32" ? 4 : 2);
    tensors.set(name, { name, dtype, shape, start: position, end });
    position = end;
  }
  return tensors;
}

import { RootstockError } from "../errors.ts";
import { toFloat32 } from "../format/floats.ts";
import { parseJson } from "../format/json.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import { writeSafetensors } from "../format/safetensors-writer.ts";
import type { TensorInfo } from "../format/types.ts";
import { MAX_DIMENSION } from "../limits.ts";

/** A moment of a training run: what is JSON of it, and its numbers by name. */
export interface Checkpoint {
  readonly state: unknown;
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** Name of the tensor that holds the state: JSON, filled up with spaces to whole rows, since one dimension is capped. */
const STATE = "state";
const STATE_ROW = 1 << 16;
/** A history of a million updates. */
const MAX_STATE_BYTES = 256 << 20;

/** One blob: a safetensors file, whose sizes show whether it is whole. */
export function packCheckpoint({ state, tensors }: Checkpoint): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(state));
  const rows = Math.ceil(json.length / STATE_ROW);
  const padded = new Uint8Array(rows * STATE_ROW).fill(0x20);
  padded.set(json);
  const { header, parts, size } = writeSafetensors([
    ...Array.from(tensors, ([name, values]) => ({ name, dtype: "F32" as const, shape: shapeOf(values.length), data: bytesOf(values) })),
    { name: STATE, dtype: "U8", shape: [rows, STATE_ROW], data: padded },
  ]);
  const blob = new Uint8Array(size);
  let at = 0;
  for (const part of [header, ...parts]) {
    blob.set(part, at);
    at += part.length;
  }
  return blob;
}

/** A shape of so many numbers that the reader's cap on dimensions takes: BERT's table of word pieces has 23 million. */
function shapeOf(count: number): number[] {
  let rows = Math.max(1, Math.ceil(count / MAX_DIMENSION));
  while (count % rows !== 0) rows++;
  return rows === 1 ? [count] : [rows, count / rows];
}

/** @throws RootstockError `checkpoint-invalid`. */
export function unpackCheckpoint(blob: Uint8Array): Checkpoint {
  return readingCheckpoint(() => {
    const { tensors } = parseSafetensorsHeader(blob, blob.length, "the checkpoint");
    const bytes = ({ start, end }: TensorInfo): Uint8Array => blob.subarray(start, end);
    const stored = tensors.get(STATE);
    if (stored === undefined) throw new RootstockError("checkpoint-invalid", "it has no state");
    return {
      state: parseJson(bytes(stored), { where: "its state", maxBytes: MAX_STATE_BYTES }),
      tensors: new Map([...tensors].filter(([name, { dtype }]) => name !== STATE && dtype === "F32").map(([name, tensor]) => [name, toFloat32(bytes(tensor), "F32")])),
    };
  });
}

/** Runs a step of reading a checkpoint. @throws RootstockError `checkpoint-invalid` with the reason, whatever was wrong */
export function readingCheckpoint<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (!(cause instanceof RootstockError)) throw cause;
    throw new RootstockError("checkpoint-invalid", `the checkpoint cannot be gone on from: ${cause.message.replace(/\.$/, "")}. Remove it to train anew.`, { cause });
  }
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

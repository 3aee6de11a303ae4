import { RootstockError } from "../errors.ts";
import { bytesOf, toFloat32 } from "../format/floats.ts";
import { field, parseJson, place, readInteger, readList, readObject, readString, type Place } from "../format/json.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import { placeSafetensors } from "../format/safetensors-writer.ts";

/** A moment of a training run: what is JSON of it, and its numbers by name. */
export interface Checkpoint {
  readonly state: unknown;
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/**
 * The two tensors of the file: JSON of the state with the names and counts of what is kept, filled up with spaces; and all numbers one after the
 * other, since files have fewer tensors than a deep encoder's DoRA has parameters and means. Both fill whole rows: one dimension is capped.
 */
const STATE = "state";
const NUMBERS = "numbers";
const STATE_ROW = 1 << 16;
const NUMBERS_ROW = 1 << 12;
/** Nearly what V8 holds as one string: see `MAX_UPDATES` and `MAX_PROBES`. */
const MAX_STATE_BYTES = 500 << 20;
/** Four parts of every parameter of `MAX_LAYERS` layers, and then some. */
const MAX_KEPT = 1 << 20;
/** Of one tensor: as many as 2 GiB hold. */
const MAX_NUMBERS = 1 << 29;

/**
 * One blob: a safetensors file, whose sizes show whether it is whole. Numbers are copied once.
 * @throws RootstockError `limit-exceeded` where `unpackCheckpoint` would refuse it: the last one that can be read stays
 */
export function packCheckpoint({ state, tensors }: Checkpoint): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ state, tensors: Array.from(tensors, ([name, { length }]) => [name, length]) }));
  if (json.length > MAX_STATE_BYTES) throw new RootstockError("limit-exceeded", `the run's history takes ${json.length} bytes, and a checkpoint has at most ${MAX_STATE_BYTES} of them.`);
  const numbers = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  const shapes = { numbers: [Math.ceil(numbers / NUMBERS_ROW), NUMBERS_ROW], state: [Math.ceil(json.length / STATE_ROW), STATE_ROW] };
  const { header, size } = placeSafetensors([{ name: NUMBERS, dtype: "F32", shape: shapes.numbers }, { name: STATE, dtype: "U8", shape: shapes.state }]);
  const blob = new Uint8Array(size);
  blob.set(header);
  let at = header.length;
  for (const values of tensors.values()) {
    blob.set(bytesOf(values), at);
    at += values.byteLength;
  }
  at = size - shapes.state[0]! * STATE_ROW;
  blob.fill(0x20, at);
  blob.set(json, at);
  return blob;
}

/** @throws RootstockError `checkpoint-invalid`. */
export function unpackCheckpoint(blob: Uint8Array): Checkpoint {
  return readingCheckpoint(() => {
    const stored = parseSafetensorsHeader(blob, blob.length, "the checkpoint").tensors;
    const bytes = (name: string): Uint8Array => {
      const tensor = stored.get(name);
      if (tensor === undefined) throw new RootstockError("checkpoint-invalid", `it has no ${name}`);
      return blob.subarray(tensor.start, tensor.end);
    };
    const at = place("its state");
    const fields = readObject(parseJson(bytes(STATE), { where: "its state", maxBytes: MAX_STATE_BYTES }), at);
    const numbers = bytes(NUMBERS);
    const tensors = new Map<string, Float32Array>();
    let first = 0;
    for (const [name, count] of readList(fields.get("tensors"), field(at, "tensors"), MAX_KEPT, readKept)) {
      const end = first + count * 4;
      if (end > numbers.length) throw new RootstockError("checkpoint-invalid", "it has fewer numbers than it names");
      tensors.set(name, toFloat32(numbers.subarray(first, end), "F32"));
      first = end;
    }
    return { state: fields.get("state"), tensors };
  });
}

function readKept(value: unknown, at: Place): readonly [string, number] {
  const [name, count] = readList(value, at, 2, (item) => item);
  return [readString(name, at), readInteger(count, at, 0, MAX_NUMBERS)];
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

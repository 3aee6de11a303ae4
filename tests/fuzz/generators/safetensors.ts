import { index, pick, type Random } from "../../reliability/random.ts";
import { mutateBytes } from "./bytes.ts";
import { jsonBase, mutateJson, text, type Json, type JsonBase } from "./json.ts";

const LENGTH_BYTES = 8;

export interface SafetensorsBase {
  readonly bytes: Uint8Array;
  readonly header: JsonBase;
  readonly data: Uint8Array;
}

export function safetensorsBase(bytes: Uint8Array): SafetensorsBase {
  const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { bytes, header: jsonBase(bytes.subarray(LENGTH_BYTES, end)), data: bytes.subarray(end) };
}

/** A file of a header and data, whatever they say; `length` is what the length field claims. */
export function fileOf(header: Uint8Array, data: Uint8Array, length = BigInt(header.length)): Uint8Array {
  const file = new Uint8Array(LENGTH_BYTES + header.length + data.length);
  new DataView(file.buffer).setBigUint64(0, length & 0xffff_ffff_ffff_ffffn, true);
  file.set(header, LENGTH_BYTES);
  file.set(data, LENGTH_BYTES + header.length);
  return file;
}

const LENGTHS: readonly ((length: bigint) => bigint)[] = [
  (n) => n + 1n, (n) => n - 1n, () => 0n, () => 1n, () => 7n, () => 1n << 20n, () => (1n << 20n) + 1n, () => 1n << 31n, () => 1n << 32n, () => (1n << 53n) + 1n, () => -1n, (n) => n | (1n << 40n),
];

/** Changes what the header says: as JSON, as bytes, its length, or the data that it describes. */
export function mutateHeader(base: SafetensorsBase, random: Random): Uint8Array {
  const choice = random();
  if (choice < 0.1) return fileOf(base.header.bytes, base.data, pick(random, LENGTHS)(BigInt(base.header.bytes.length)));
  if (choice < 0.25) return mutateBytes(base.bytes.slice(0, base.bytes.length), random);
  if (choice < 0.3) return fileOf(base.header.bytes, base.data.subarray(0, index(random, base.data.length)));
  if (choice < 0.35) return fileOf(base.header.bytes, new Uint8Array(Buffer.concat([base.data, new Uint8Array(1 + index(random, 64))])));
  if (choice < 0.5) return fileOf(new TextEncoder().encode(text(moved(base.header.root, random))), base.data);
  return fileOf(mutateJson(base.header, random), base.data);
}

/** Two tensors change places, names, shapes or dtypes: what each entry says is right, and what all say together may not be. */
function moved(root: Json, random: Random): Json {
  if (typeof root === "string" || Array.isArray(root)) return root;
  const { fields } = root as Exclude<Json, string | readonly Json[]>;
  const [a, b] = [index(random, fields.length), index(random, fields.length)];
  const field = pick(random, ["name", '"dtype"', '"shape"', '"data_offsets"']);
  if (field === "name") return { fields: fields.with(a, [fields[b]![0], fields[a]![1]]).with(b, [fields[a]![0], fields[b]![1]]) };
  const valueOf = (at: number): Json | undefined => {
    const value = fields[at]![1];
    return typeof value === "string" || !("fields" in value) ? undefined : value.fields.find(([key]) => key === field)?.[1];
  };
  const withField = (at: number, value: Json | undefined): Json => {
    const tensor = fields[at]![1];
    if (value === undefined || typeof tensor === "string" || !("fields" in tensor)) return tensor;
    return { fields: tensor.fields.map(([key, old]) => [key, key === field ? value : old] as const) };
  };
  const [left, right] = [withField(a, valueOf(b)), withField(b, valueOf(a))];
  const both = random() < 0.7 ? fields.with(b, [fields[b]![0], right]) : fields;
  return { fields: both.with(a, [fields[a]![0], left]) };
}

/** Bits of float32 (and, halves of them, of float16): NaNs, infinities, the largest, subnormals, −0, and ordinary numbers. */
const FLOATS = [0x7fc00000, 0x7f800001, 0xffc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0xff7fffff, 0x00000001, 0x80000001, 0x007fffff, 0x80000000, 0x00000000, 0x3f800000, 0xbf800000, 0x47c35000, 0x7e967699];

/** Changes values and leaves the header alone. */
export function mutatePayload(base: SafetensorsBase, random: Random): Uint8Array {
  const file = base.bytes.slice();
  const from = file.length - base.data.length;
  const view = new DataView(file.buffer, from, base.data.length);
  for (let edits = 1 + index(random, 6); edits > 0; edits--) {
    const at = index(random, base.data.length >> 2) * 4;
    const choice = random();
    if (choice < 0.4) view.setUint8(at, view.getUint8(at) ^ (1 << index(random, 8)));
    else if (choice < 0.5) file.fill(pick(random, [0, 0x7f, 0x80, 0xff]), from + at, from + at + index(random, 64));
    else if (choice < 0.9) view.setUint32(at, pick(random, FLOATS), true);
    else view.setUint32(at, Math.floor(random() * 2 ** 32), true);
  }
  return file;
}

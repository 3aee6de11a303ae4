import { index, pick, type Random } from "../../reliability/random.ts";

/** Bytes that mean something to JSON, UTF-8 or numbers. */
const TELLING = [0x00, 0x01, 0x0a, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x31, 0x39, 0x3a, 0x45, 0x5b, 0x5c, 0x5d, 0x65, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xff];

function spliced(bytes: Uint8Array, from: number, to: number, between: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - (to - from) + between.length);
  out.set(bytes.subarray(0, from));
  out.set(between, from);
  out.set(bytes.subarray(to), from + between.length);
  return out;
}

function editOnce(bytes: Uint8Array, random: Random): Uint8Array {
  const at = index(random, bytes.length + 1);
  const length = Math.min(bytes.length - at, 1 + index(random, random() < 0.8 ? 4 : 64));
  const choice = random();
  if (choice < 0.35 && at < bytes.length) {
    const copy = bytes.slice();
    copy[at] = copy[at]! ^ (1 << index(random, 8));
    return copy;
  }
  if (choice < 0.6 && at < bytes.length) {
    const copy = bytes.slice();
    copy[at] = random() < 0.7 ? pick(random, TELLING) : index(random, 256);
    return copy;
  }
  if (choice < 0.7) return spliced(bytes, at, at + length, new Uint8Array(0));
  if (choice < 0.8) return spliced(bytes, at, at, Uint8Array.from({ length: Math.max(1, length) }, () => pick(random, TELLING)));
  if (choice < 0.88) return spliced(bytes, at, at, bytes.subarray(at, at + length)); // said twice
  if (choice < 0.94) return bytes.slice(0, at); // cut short
  const from = index(random, bytes.length + 1); // another place of the same file
  return spliced(bytes, at, at + length, bytes.subarray(from, from + length));
}

/** One to three edits of any bytes: flipped, replaced, removed, added, repeated, cut. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let mutant = bytes;
  for (let edits = 1 + index(random, 3); edits > 0; edits--) mutant = editOnce(mutant, random);
  return mutant;
}

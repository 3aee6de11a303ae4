/** safetensors files that break a rule of the container, whatever their tensors are for. */

import { fileOf } from "../unit/format/crafted.ts";
import type { Attack } from "./attack.ts";

type Row = readonly [what: string, bytes: Uint8Array, code: Attack["code"], ...says: string[]];

const tensor = (dtype: string, shape: number[], from: number, to: number): object => ({ dtype, shape, data_offsets: [from, to] });
const one = (fields: object, data = 4): Uint8Array => fileOf(JSON.stringify({ a: fields }), data);
const raw = (entry: string, data = 4): Uint8Array => fileOf(`{"a":${entry}}`, data);
const length = (low: number, high: number): Uint8Array => new Uint8Array(Uint32Array.from([low, high, 0, 0]).buffer);
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

const ROWS: readonly Row[] = [
  ["no bytes", new Uint8Array(0), "source-truncated"],
  ["seven bytes", new Uint8Array(7), "source-truncated"],
  ["an HTML page", bytes("<!DOCTYPE html><html></html>"), "not-a-model", "HTML"],
  ["an LFS pointer", bytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"), "not-a-model", "LFS"],
  ["a zipped pickle", bytes("PK\u0003\u0004\u0014\u0000\u0008\u0008rest"), "not-a-model", "pickle"],
  ["a bare pickle", bytes("\u0080\u0002}q\u0001(X\u0001\u0000"), "not-a-model", "pickle"],
  ["a GGUF file", bytes("GGUF\u0003\u0000\u0000\u0000\u0001\u0000"), "not-a-model", "GGUF"],
  ["text", bytes("hello, world"), "not-a-model", "another format"],
  ["a length of 2^64 - 1", length(0xffffffff, 0xffffffff), "not-a-model"],
  ["a length of 2^32", length(0, 1), "not-a-model"],
  ["a header above the cap", length((1 << 20) + 1, 0), "limit-exceeded", "1048576"],
  ["a header beyond the file", length(9, 0), "source-truncated", "17"],
  ["an empty header", fileOf("", 0), "header-invalid", "{"],
  ["a header that is a list", fileOf("[]", 0), "header-invalid", "{"],
  ["a header after a space", fileOf(" {}", 0), "header-invalid", "{"],
  ["no JSON", fileOf("{oops}", 0), "header-invalid", "JSON"],
  ["two values", fileOf("{}{}", 0), "header-invalid", "JSON"],
  ["invalid UTF-8", fileOf(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 0), "header-invalid", "UTF-8"],
  ["a repeated tensor", fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), "header-invalid", "twice"],
  ["a repeated field", raw('{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}'), "header-invalid", "twice"],
  ["nesting", raw(`${"[".repeat(9)}${"]".repeat(9)}`), "limit-exceeded", "4 levels"],
  ["a tensor that is a string", raw('"F32"'), "header-invalid", ": a: ", "an object"],
  ["a tensor that is null", raw("null"), "header-invalid"],
  ["an unknown field", one({ ...tensor("F32", [1], 0, 4), strides: [1] }), "header-invalid", "strides"],
  ["no dtype", one({ shape: [1], data_offsets: [0, 4] }), "header-invalid", "dtype"],
  ["an unknown dtype", one(tensor("F33", [1], 0, 4)), "tensor-dtype", "F33"],
  ["a dtype of the prototype", one(tensor("constructor", [1], 0, 4)), "tensor-dtype"],
  ["a dtype that is a number", one({ ...tensor("F32", [1], 0, 4), dtype: 32 }), "header-invalid", "dtype"],
  ["no shape", one({ dtype: "F32", data_offsets: [0, 4] }), "header-invalid", "shape"],
  ["a negative dimension", one(tensor("F32", [-1], 0, 4)), "header-invalid", "shape: 0"],
  ["a fractional dimension", one(tensor("F32", [0.5], 0, 2)), "header-invalid"],
  ["minus zero", raw('{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}', 0), "header-invalid"],
  ["a dimension of 1e400", raw('{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}'), "header-invalid"],
  ["a dimension above 2^53", raw('{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}'), "header-invalid"],
  ["a dimension above the cap", one(tensor("F32", [2 ** 24 + 1], 0, 4)), "limit-exceeded", "16777216"],
  ["five dimensions", one(tensor("F32", [1, 1, 1, 1, 1], 0, 4)), "limit-exceeded", "at most 4"],
  ["a product that wraps", one(tensor("F32", [2 ** 24, 2 ** 24, 2 ** 24, 2 ** 24], 0, 4)), "limit-exceeded"],
  ["a product that wraps to 0 in 64 bits", one(tensor("F32", [2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16], 0, 0), 0), "limit-exceeded"],
  ["no offsets", one({ dtype: "F32", shape: [1] }), "header-invalid", "data_offsets"],
  ["one offset", one({ dtype: "F32", shape: [1], data_offsets: [0] }), "header-invalid", "[start, end]"],
  ["three offsets", one({ dtype: "F32", shape: [1], data_offsets: [0, 4, 4] }), "header-invalid"],
  ["offsets the wrong way round", one(tensor("F32", [1], 4, 0)), "header-invalid", "[start, end]"],
  ["a negative offset", one(tensor("F32", [1], -4, 0)), "header-invalid"],
  ["an offset near 2^53", one(tensor("F32", [1], Number.MAX_SAFE_INTEGER - 4, Number.MAX_SAFE_INTEGER)), "limit-exceeded"],
  ["a span too long for the shape", one(tensor("F32", [1], 0, 8), 8), "header-invalid", "needs 4 bytes"],
  ["a span too short for the shape", one(tensor("F32", [2], 0, 4)), "header-invalid", "needs 8 bytes"],
  ["a hole at the start", one(tensor("F32", [1], 4, 8), 8), "header-invalid", "hole"],
  ["a hole in the middle", fileOf(JSON.stringify({ a: tensor("F32", [1], 0, 4), b: tensor("F32", [1], 8, 12) }), 12), "header-invalid", "hole", '"b"'],
  ["an overlap", fileOf(JSON.stringify({ a: tensor("F32", [2], 0, 8), b: tensor("F32", [2], 4, 12) }), 12), "header-invalid", "overlap", '"b"'],
  ["two tensors on one place", fileOf(JSON.stringify({ a: tensor("F32", [1], 0, 4), b: tensor("F32", [1], 0, 4) }), 4), "header-invalid", "overlap"],
  ["an empty tensor inside another", fileOf(JSON.stringify({ a: tensor("F32", [2], 0, 8), b: tensor("F32", [0], 4, 4) }), 8), "header-invalid", "overlap"],
  ["data cut short", one(tensor("F32", [2], 0, 8), 7), "source-truncated", "cut short"],
  ["bytes after the end", one(tensor("F32", [2], 0, 8), 9), "source-truncated", "after the last"],
  ["data without tensors", fileOf("{}", 1), "source-truncated", "after the last"],
  ["metadata that is a list", fileOf('{"__metadata__":[]}', 0), "header-invalid", "__metadata__"],
  ["metadata with a number", fileOf('{"__metadata__":{"a":1}}', 0), "header-invalid", "__metadata__: a"],
  ["metadata above the cap", fileOf(JSON.stringify({ __metadata__: { a: "x".repeat(40_000), b: "x".repeat(40_000) } }), 0), "limit-exceeded", "65536"],
  ["metadata above the cap in UTF-8", fileOf(JSON.stringify({ __metadata__: { a: "€".repeat(30_000) } }), 0), "limit-exceeded", "65536"],
  ["an empty name", fileOf('{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), "header-invalid", "empty name"],
  ["a name above the cap", fileOf(JSON.stringify({ ["é".repeat(129)]: tensor("F32", [1], 0, 4) }), 4), "limit-exceeded", "256"],
  ["a lone surrogate in a name", fileOf('{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), "header-invalid", "surrogate"],
  ["4,097 tensors", fileOf(JSON.stringify(Object.fromEntries(Array.from({ length: 4_097 }, (_, i) => [`t${i}`, tensor("U8", [1], i, i + 1)]))), 4_097), "limit-exceeded", "4096"],
];

export const SAFETENSORS_ATTACKS: readonly Attack[] = ROWS.map(([what, bytes, code, ...says]) => ({ what, file: "safetensors", bytes, code, says }));

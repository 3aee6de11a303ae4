import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../../src/errors.ts";
import { elementBytes, parseSafetensorsHeader, readHeaderLength } from "../../../src/format/safetensors.ts";
import { writeSafetensors } from "../../../src/format/safetensors-writer.ts";
import type { Dtype } from "../../../src/format/types.ts";
import { seeded } from "../../reliability/random.ts";
import { expectError, fileOf, outcome } from "./crafted.ts";

const parse = (file: Uint8Array): ReturnType<typeof parseSafetensorsHeader> => parseSafetensorsHeader(file, file.length, "a.safetensors");
const tensor = (dtype: string, shape: number[], from: number, to: number): object => ({ dtype, shape, data_offsets: [from, to] });
const two = { a: tensor("F32", [2, 3], 0, 24), b: tensor("F16", [4], 24, 32), __metadata__: { format: "pt" } };

describe("parseSafetensorsHeader", () => {
  it("reads tensors with absolute offsets, in the order of the data, and metadata", () => {
    const header = JSON.stringify({ b: two.b, __metadata__: two.__metadata__, a: two.a });
    const file = parse(fileOf(header, 32));
    expect(file.headerBytes).toBe(8 + header.length);
    expect([...file.tensors.keys()]).toEqual(["a", "b"]);
    expect(file.tensors.get("a")).toEqual({ name: "a", dtype: "F32", shape: [2, 3], start: file.headerBytes, end: file.headerBytes + 24 });
    expect(file.tensors.get("b")).toEqual({ name: "b", dtype: "F16", shape: [4], start: file.headerBytes + 24, end: file.headerBytes + 32 });
    expect([...file.metadata]).toEqual([["format", "pt"]]);
  });

  it("puts tensors in order whatever their order in the header", () => {
    const random = seeded(2);
    const names = Array.from({ length: 12 }, (_, i) => `t${String.fromCharCode(97 + i)}`);
    for (let round = 0; round < 50; round++) {
      const shuffled = names.map((name, i) => ({ name, i, key: random() })).sort((a, b) => a.key - b.key);
      const header = JSON.stringify(Object.fromEntries(shuffled.map(({ name, i }) => [name, tensor("U8", [3], 3 * i, 3 * i + 3)])));
      expect([...parse(fileOf(header, 36)).tensors.keys()]).toEqual(names);
    }
  });

  it("reads scalars, empty tensors, every dtype, a padded header, an empty file", () => {
    expect(parse(fileOf('{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4)).tensors.get("s")?.shape).toEqual([]);
    const empty = parse(fileOf(JSON.stringify({ a: tensor("F32", [1], 0, 4), e: tensor("F32", [0, 9], 4, 4), b: tensor("F32", [1], 4, 8) }), 8));
    expect([...empty.tensors.keys()]).toEqual(["a", "e", "b"]);
    expect(parse(fileOf("{}   ", 0)).tensors.size).toBe(0);
    for (const dtype of ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64"] as Dtype[]) {
      const bytes = elementBytes(dtype);
      expect(parse(fileOf(JSON.stringify({ a: tensor(dtype, [3], 0, 3 * bytes) }), 3 * bytes)).tensors.get("a")?.dtype).toBe(dtype);
    }
  });

  it("reads from the header bytes alone when the size of the file is known", () => {
    const file = fileOf(JSON.stringify(two), 32);
    expect(parseSafetensorsHeader(file.subarray(0, file.length - 32), file.length).tensors.size).toBe(2);
    expectError(() => parseSafetensorsHeader(file.subarray(0, file.length - 33), file.length), "source-truncated", "of the");
    expect(readHeaderLength(file.subarray(0, 8), file.length, "x")).toBe(file.length - 40);
  });

  it("names tensors like prototypes without harm", () => {
    const file = parse(fileOf('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"constructor":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8));
    expect([...file.tensors.keys()]).toEqual(["__proto__", "constructor"]);
    expect(file.tensors.get("toString")).toBeUndefined();
  });

  const one = (fields: object, data = 4): Uint8Array => fileOf(JSON.stringify({ a: fields }), data);
  const raw = (entry: string, data = 4): Uint8Array => fileOf(`{"a":${entry}}`, data);
  const length = (low: number, high: number): Uint8Array => new Uint8Array(Uint32Array.from([low, high, 0, 0]).buffer);
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
  const attacks: [string, Uint8Array, ErrorCode, ...string[]][] = [
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
    ["a tensor that is a string", raw('"F32"'), "header-invalid", "a.safetensors: a", "an object"],
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
  it.each(attacks)("refuses %s", (_what, file, code, ...words) => {
    expectError(() => parse(file), code, ...words);
  });

  it("takes the caps themselves", () => {
    const many = Object.fromEntries(Array.from({ length: 4_096 }, (_, i) => [`t${i}`, tensor("U8", [1], i, i + 1)]));
    expect(parse(fileOf(JSON.stringify(many), 4_096)).tensors.size).toBe(4_096);
    expect(parse(fileOf(JSON.stringify({ ["n".repeat(256)]: tensor("U8", [2 ** 24, 0, 1, 1], 0, 0) }), 0)).tensors.size).toBe(1);
    expect(parse(fileOf(`{${" ".repeat((1 << 20) - 2)}}`, 0)).tensors.size).toBe(0);
  });

  it("refuses every prefix of a file", () => {
    const file = fileOf(JSON.stringify(two), 32);
    for (let size = 0; size < file.length; size++) {
      expect(outcome(() => parse(file.subarray(0, size)))).toBe("source-truncated");
    }
    expect(outcome(() => parse(file))).toBe("accepted");
  });

  it("ends in accepted or a listed code for 20,000 mutants; the accepted ones still tile their file", () => {
    const random = seeded(7);
    const base = fileOf(JSON.stringify(two), 32);
    const listed = new Set<string>(["source-truncated", "not-a-model", "header-invalid", "limit-exceeded", "tensor-dtype"]);
    const counts = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const file = base.slice(0, random() < 0.1 ? Math.floor(random() * base.length) : base.length);
      for (let edits = 1 + Math.floor(random() * 2); edits > 0 && file.length > 0; edits--) {
        const place = Math.floor(random() * file.length);
        file[place] = random() < 0.5 ? (file[place] as number) ^ (1 << Math.floor(random() * 8)) : 0x20 + Math.floor(random() * 95);
      }
      const result = outcome(() => parse(file));
      counts.set(result, (counts.get(result) ?? 0) + 1);
      if (result !== "accepted") {
        expect(listed).toContain(result);
        continue;
      }
      const { tensors, headerBytes } = parse(file);
      let position = headerBytes;
      for (const { start, end, shape, dtype } of tensors.values()) {
        expect(start).toBe(position);
        expect(end - start).toBe(shape.reduce((a, b) => a * b, 1) * elementBytes(dtype));
        position = end;
      }
      expect(position).toBe(file.length);
    }
    for (const code of ["accepted", ...listed]) expect(counts.get(code) ?? 0, code).toBeGreaterThan(10);
  });
});

describe("writeSafetensors", () => {
  const data = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);
  const joined = ({ header, parts, size }: ReturnType<typeof writeSafetensors>): Uint8Array => {
    const file = new Uint8Array(size);
    let position = 0;
    for (const part of [header, ...parts]) {
      file.set(part, position);
      position += part.length;
    }
    expect(position).toBe(size);
    return file;
  };

  it("writes what the reader reads, wide elements first, each at a multiple of its size", () => {
    const tensors = [
      { name: "bytes", dtype: "U8" as const, shape: [5], data: data(5, 0) },
      { name: "half", dtype: "F16" as const, shape: [3], data: data(6, 10) },
      { name: "__proto__", dtype: "F32" as const, shape: [2, 2], data: data(16, 20) },
      { name: "7", dtype: "I32" as const, shape: [1], data: data(4, 40) },
      { name: "empty", dtype: "I8" as const, shape: [0, 4], data: data(0, 0) },
    ];
    const file = joined(writeSafetensors(tensors, new Map([["format", "pt"], ["__proto__", "x"]])));
    const read = parse(file);
    expect(read.headerBytes % 64).toBe(0);
    expect([...read.tensors.keys()]).toEqual(["__proto__", "7", "half", "bytes", "empty"]);
    expect([...read.metadata]).toEqual([["format", "pt"], ["__proto__", "x"]]);
    for (const { name, dtype, shape, data: expected } of tensors) {
      const found = read.tensors.get(name);
      expect(found).toMatchObject({ dtype, shape });
      expect((found?.start ?? -1) % elementBytes(dtype)).toBe(0);
      expect(file.slice(found?.start, found?.end)).toEqual(expected);
    }
  });

  it("pads to 64 for headers of every length", () => {
    for (let length = 1; length < 140; length++) {
      const { header } = writeSafetensors([{ name: "n".repeat(length), dtype: "U8", shape: [1], data: data(1, 1) }]);
      expect(header.length % 64).toBe(0);
    }
    expect(parse(joined(writeSafetensors([]))).tensors.size).toBe(0);
  });

  it("refuses repeated, reserved and empty names and data of the wrong length", () => {
    const good = { name: "a", dtype: "U8" as const, shape: [2], data: data(2, 0) };
    expectError(() => writeSafetensors([good, good]), "argument-invalid", "twice");
    expectError(() => writeSafetensors([{ ...good, name: "__metadata__" }]), "argument-invalid");
    expectError(() => writeSafetensors([{ ...good, name: "" }]), "argument-invalid");
    expectError(() => writeSafetensors([{ ...good, data: data(3, 0) }]), "argument-invalid", "needs 2 bytes");
    expectError(() => writeSafetensors([{ ...good, shape: [-1] }]), "limit-exceeded");
  });
});

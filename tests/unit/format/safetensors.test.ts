import { describe, expect, it } from "vitest";
import { elementBytes, parseSafetensorsHeader, readHeaderLength } from "../../../src/format/safetensors.ts";
import { safetensorsFile, writeSafetensors } from "../../../src/format/safetensors-writer.ts";
import type { Dtype } from "../../../src/format/types.ts";
import { SAFETENSORS_ATTACKS } from "../../attacks/safetensors.ts";
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

  it("takes null for no metadata, as the format's own reader does", () => {
    const header = JSON.stringify({ ...two, __metadata__: null });
    expect([...parse(fileOf(header, 32)).metadata]).toEqual([]);
    expect(parse(fileOf(header, 32)).tensors.size).toBe(2);
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

  it.each(SAFETENSORS_ATTACKS)("refuses $what", ({ bytes, code, says }) => {
    expectError(() => parse(bytes), code, ...says);
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

  it("writes what the reader reads, wide elements first, each at a multiple of its size", () => {
    const tensors = [
      { name: "bytes", dtype: "U8" as const, shape: [5], data: data(5, 0) },
      { name: "half", dtype: "F16" as const, shape: [3], data: data(6, 10) },
      { name: "__proto__", dtype: "F32" as const, shape: [2, 2], data: data(16, 20) },
      { name: "7", dtype: "I32" as const, shape: [1], data: data(4, 40) },
      { name: "empty", dtype: "I8" as const, shape: [0, 4], data: data(0, 0) },
    ];
    const file = safetensorsFile(tensors, new Map([["format", "pt"], ["__proto__", "x"]]));
    expect(file.length).toBe(writeSafetensors(tensors, new Map([["format", "pt"], ["__proto__", "x"]])).size);
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
    expect(parse(safetensorsFile([])).tensors.size).toBe(0);
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

import { describe, expect, it } from "vitest";
import { ENCODER_FINGERPRINT_KEY, readEncoderFingerprint, readManifest, writeManifest } from "../../../src/format/manifest.ts";
import type { Manifest } from "../../../src/format/types.ts";
import { seeded } from "../../reliability/random.ts";
import { expectError, outcome } from "./crafted.ts";

const digest = "0123456789abcdef".repeat(4);
const manifest: Manifest = {
  format: 1,
  fingerprint: `sha256:${digest}`,
  files: new Map([
    ["model.safetensors", { size: 9, sha256: digest, pieces: { bytes: 4, sha256: [digest, digest, digest] } }],
    ["config.json", { size: 0, sha256: digest }],
    ["tokenizer.json", { size: 9, sha256: digest, partBytes: 5 }],
  ]),
  quantization: new Map<string, string | number | boolean>([
    ["method", "gptq"], ["weightBits", 7], ["calibrationDigest", digest], ["damping", 0.01], ["activationOrder", true], ["converter", "rootstock 0.1.0"],
  ]),
};
interface Plain {
  format: unknown;
  fingerprint: unknown;
  files: Record<string, { size: unknown; sha256: unknown; pieces?: unknown; partBytes?: unknown }>;
  quantization: unknown;
}
const changed = (change: (plain: Plain) => void): string => {
  const plain = JSON.parse(writeManifest(manifest)) as Plain;
  change(plain);
  return JSON.stringify(plain);
};
const model = (plain: Plain): Plain["files"][string] => plain.files["model.safetensors"] as Plain["files"][string];

describe("rootstock.json", () => {
  it("writes what it reads", () => {
    const text = writeManifest(manifest);
    expect(text.endsWith("}\n")).toBe(true);
    expect(readManifest(text)).toEqual(manifest);
    expect(readManifest(new TextEncoder().encode(text))).toEqual(manifest);
  });

  it("leaves out report fields it does not know, and needs no report", () => {
    const text = changed((plain) => (plain.quantization = { method: "plain", script: "x", __proto__x: 1 }));
    expect([...readManifest(text).quantization]).toEqual([["method", "plain"]]);
    expect(readManifest(changed((plain) => delete (plain as Partial<Plain>).quantization)).quantization.size).toBe(0);
  });

  it("refuses a newer format", () => {
    expectError(() => readManifest(changed((plain) => (plain.format = 2))), "format-version", "format 2", "update");
  });

  it("refuses file names that are not of the folder itself", () => {
    for (const name of ["../a", "/a", "a/b", "a\\b", "C:a", ".hidden", "", "a\u0000", "a b", "é", "x".repeat(129), "..", "__proto__"]) {
      const text = writeManifest(manifest).replace('"config.json"', JSON.stringify(name));
      expectError(() => readManifest(text), "json-invalid", "folder itself");
    }
  });

  const wrong: [string, (plain: Plain) => unknown, string][] = [
    ["no format", (plain) => delete (plain as Partial<Plain>).format, "format"],
    ["format 0", (plain) => (plain.format = 0), "format"],
    ["a format in words", (plain) => (plain.format = "1"), "format"],
    ["no fingerprint", (plain) => delete (plain as Partial<Plain>).fingerprint, "fingerprint"],
    ["a fingerprint without its kind", (plain) => (plain.fingerprint = digest), "sha256:"],
    ["a short fingerprint", (plain) => (plain.fingerprint = "sha256:00"), "64"],
    ["upper-case digits", (plain) => (plain.fingerprint = `sha256:${digest.toUpperCase()}`), "64"],
    ["files as a list", (plain) => (plain.files = [] as unknown as Plain["files"]), "files"],
    ["a negative size", (plain) => (model(plain).size = -1), "size"],
    ["a fractional size", (plain) => (model(plain).size = 0.5), "size"],
    ["no digest", (plain) => (model(plain).sha256 = null), "sha256"],
    ["too few pieces", (plain) => (model(plain).pieces = { bytes: 4, sha256: [digest, digest] }), "do not make"],
    ["too many pieces", (plain) => (model(plain).pieces = { bytes: 4, sha256: [digest, digest, digest, digest] }), "do not make"],
    ["pieces of nothing", (plain) => (model(plain).pieces = { bytes: 0, sha256: [] }), "bytes"],
    ["a piece that is no digest", (plain) => (model(plain).pieces = { bytes: 9, sha256: ["x"] }), "sha256: 0"],
    ["pieces that are a list", (plain) => (model(plain).pieces = []), "pieces"],
    ["parts of nothing", (plain) => (model(plain).partBytes = 0), "partBytes"],
    ["parts of half a byte", (plain) => (model(plain).partBytes = 0.5), "partBytes"],
    ["more than 4,096 parts", (plain) => Object.assign(model(plain), { size: 4_097, partBytes: 1, pieces: undefined }), "partBytes"],
    ["an unknown method", (plain) => (plain.quantization = { method: "magic" }), "gptq"],
    ["a figure that is a word", (plain) => (plain.quantization = { damping: "1" }), "damping"],
    ["a report that is a list", (plain) => (plain.quantization = []), "quantization"],
  ];
  it.each(wrong)("refuses %s", (_what, change, word) => {
    expectError(() => readManifest(changed((plain) => void change(plain))), "json-invalid", "rootstock.json", word);
  });

  it("caps files, pieces and the size of pieces", () => {
    const entry = { size: 0, sha256: digest };
    const files = (count: number): string => changed((plain) => (plain.files = Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, entry]))));
    expect(outcome(() => readManifest(files(64)))).toBe("accepted");
    expectError(() => readManifest(files(65)), "limit-exceeded", "64");
    expectError(() => readManifest(changed((plain) => (model(plain).pieces = { bytes: Number.MAX_SAFE_INTEGER, sha256: [digest, digest] }))), "limit-exceeded");
    expectError(() => readManifest(changed((plain) => (model(plain).pieces = { bytes: 1, sha256: Array.from({ length: 4_097 }, () => digest) }))), "json-invalid", "4096");
  });

  it("does not write what it would not read", () => {
    expectError(() => writeManifest({ ...manifest, quantization: new Map([["secret", 1]]) }), "argument-invalid", "secret");
    expectError(() => writeManifest({ ...manifest, files: new Map([["../x", { size: 0, sha256: digest }]]) }), "json-invalid");
  });

  it("ends in accepted or a listed code for 3,000 mutants", () => {
    const random = seeded(3);
    const base = new TextEncoder().encode(writeManifest(manifest));
    const listed = new Set(["accepted", "json-invalid", "limit-exceeded", "format-version"]);
    for (let i = 0; i < 3_000; i++) {
      const bytes = base.slice();
      for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) bytes[Math.floor(random() * bytes.length)] = random() < 0.2 ? Math.floor(random() * 256) : 0x20 + Math.floor(random() * 95);
      expect(listed).toContain(outcome(() => readManifest(bytes)));
    }
  });
});

describe("an adapter's encoder", () => {
  it("is read from the metadata, and null without", () => {
    expect(readEncoderFingerprint(new Map([[ENCODER_FINGERPRINT_KEY, `sha256:${digest}`]]), "f")).toBe(`sha256:${digest}`);
    expect(readEncoderFingerprint(new Map([["format", "pt"]]), "f")).toBeNull();
    expectError(() => readEncoderFingerprint(new Map([[ENCODER_FINGERPRINT_KEY, digest]]), "f"), "header-invalid", "f: __metadata__");
  });
});

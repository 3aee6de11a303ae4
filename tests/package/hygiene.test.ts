import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "rootstock-pack-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let tarball: string;
let files: string[];
beforeAll(async () => {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder]);
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }) => path);
});

describe("the packed package", () => {
  it("is clean for publint", async () => {
    const bytes = readFileSync(tarball);
    const { messages } = await publint({ strict: true, pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer } });
    expect(messages).toEqual([]);
  });

  it("has types that are found wherever an ES module's are looked for (attw)", async () => {
    const { stdout } = await run(resolve("node_modules/.bin/attw"), [tarball, "--profile", "esm-only", "--format", "json"]);
    const { analysis } = JSON.parse(stdout) as { analysis: { entrypoints: Record<string, unknown>; problems: { kind: string }[] } };
    expect(Object.keys(analysis.entrypoints)).toEqual(expect.arrayContaining(["./train", "./workerd"]));
    // CommonJS reaches an ES module by import() alone, and the resolution of Node 10 knows no "exports".
    expect(analysis.problems.map(({ kind }) => kind).filter((kind) => kind !== "CJSResolvesToESM" && kind !== "NoResolution")).toEqual([]);
  });

  it("holds what its entries name, and no sources, tests or tools", () => {
    const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, string | Record<string, string>> };
    for (const entry of Object.values(exports)) {
      for (const path of typeof entry === "string" ? [entry] : Object.values(entry)) {
        // `*` is any path.
        const [before, after = ""] = path.slice(2).split("*") as [string, string?];
        expect(files.some((file) => (path.includes("*") ? file.startsWith(before) && file.endsWith(after) : file === before)), path).toBe(true);
      }
    }
    const rooms = new Set(files.map((path) => path.split("/", 1)[0]!));
    expect([...rooms].sort()).toEqual(["LICENSE", "NOTICE", "README.md", "build", "dist", "docs", "examples", "models", "package.json"]);
    expect(files.filter((path) => path.startsWith("build/")).sort()).toEqual(["fixed.wasm", "inline.js", "module.d.ts", "relaxed.wasm", "train-fixed.wasm", "train-relaxed.wasm"].map((name) => `build/wasm/${name}`));
  });

  it("has every kernel binary under a name of its own", () => {
    const { resolve: resolveEntry } = createRequire(import.meta.url);
    for (const name of ["fixed.wasm", "relaxed.wasm", "train-fixed.wasm", "train-relaxed.wasm"]) {
      expect(resolveEntry(`rootstock/${name}`)).toBe(resolve("build/wasm", name));
      expect(files).toContain(`build/wasm/${name}`);
    }
  });

  it("holds the pages that its messages and declarations send to", () => {
    const texts = files.filter((path) => /^dist\/.*\.(js|d\.ts)$/.test(path)).map((path) => readFileSync(path, "utf8"));
    const pages = new Set(texts.flatMap((text) => text.match(/\bdocs\/[\w-]+\.md\b/g) ?? []));
    expect(pages.size).toBeGreaterThan(5);
    expect([...pages].filter((page) => !files.includes(page))).toEqual([]);
  });

  it("names its conditions in the order in which they are tried", () => {
    const order = ["types", "workerd", "edge-light", "deno", "bun", "browser", "node", "default"];
    const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, string | Record<string, string>> };
    for (const entry of Object.values(exports)) {
      const conditions = typeof entry === "string" ? [] : Object.keys(entry);
      expect(conditions).toEqual(order.filter((condition) => conditions.includes(condition)));
    }
  });
});

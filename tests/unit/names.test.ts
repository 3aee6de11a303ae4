import { describe, expect, it } from "vitest";
import { RootstockError } from "../../src/errors.ts";
import { readManifest } from "../../src/format/manifest.ts";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { prepare } from "../../src/finetune/prepare.ts";
import { partsOf } from "../../src/runtime/join-parts.ts";
import { microConverted, microEncoder } from "../fuzz/micro.ts";
import { record } from "../reliability/record.ts";

/** Names that would lead out of a folder, onto a device, or onto another name than they say, on some system. */
const ESCAPES: readonly string[] = [
  "", ".", "..", "../x", "..\\x", "a/../../x", "./x", "/etc/passwd", "\\\\host\\share\\x", "//host/x", "C:x", "C:\\x", "file:///x", "~/x", "a/b", "a\\b", "x\u0000.json", "x\n", "x.", "x...", " x", "x ",
  "CON", "nul.json", "com1.txt", "%2e%2e%2fx", "．．／x", "x\u202ey", ".hidden", "-x", "__proto__", `${"x".repeat(200)}`,
]; // prettier-ignore

/** A task's name may be a device's on Windows or end in a dot: it is a key of results, and no file is named after it alone. */
const TASKS_TAKE = new Set(["x.", "x...", "nul.json", "com1.txt"]);

const codeOf = async (run: () => unknown): Promise<string> => {
  try {
    await run();
  } catch (error) {
    if (error instanceof RootstockError) return error.code;
    throw error;
  }
  return "accepted";
};

describe("names that files and callers give", () => {
  it("of files in rootstock.json are plain names of the folder itself", async () => {
    const text = new TextDecoder().decode((await microConverted()).get("rootstock.json"));
    for (const name of ESCAPES) {
      expect([name, await codeOf(() => readManifest(text.replace('"config.json"', JSON.stringify(name))))]).toEqual([name, "json-invalid"]);
    }
    for (const name of ["a", "A.b-c_d", "weights.safetensors", "console.json", "com10", "x".repeat(128)]) {
      expect(await codeOf(() => readManifest(text.replace('"config.json"', JSON.stringify(name))))).toBe("accepted");
    }
    record("P1", { "path escapes": ESCAPES.length, accepted: 0 });
  });

  it("of parts are made from them", () => {
    expect(partsOf("a.b", { size: 5, sha256: "", partBytes: 2 }).map(({ name }) => name)).toEqual(["a.b.part0", "a.b.part1", "a.b.part2"]);
  });

  it("of tasks match ^[a-z0-9][a-z0-9._-]{0,63}$, for adapters and for training", async () => {
    using encoder: Encoder = await loadEncoder(microEncoder());
    for (const name of ESCAPES.filter((escape) => !TASKS_TAKE.has(escape))) {
      expect([name, await codeOf(() => encoder.addAdapter(name, new Map()))]).toEqual([name, "task-invalid"]);
      expect([name, await codeOf(() => prepare(encoder.loaded, { name, train: [] }, {}))]).toEqual([name, "task-invalid"]);
    }
  });
});

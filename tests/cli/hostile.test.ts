import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encoded, microEncoder } from "../fuzz/micro.ts";
import { record } from "../reliability/record.ts";
import { editTensors } from "../runtime/folder.ts";
import { program } from "./program.ts";

const root = mkdtempSync(join(tmpdir(), "rootstock-hostile-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder on the disk. */
function written(name: string, files: ReadonlyMap<string, Uint8Array>): string {
  const folder = mkdtempSync(join(root, name));
  for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
  return folder;
}

describe("exit codes, and one printable line on standard error", () => {
  it("0: done", async () => {
    const { code, stderr } = await program(["inspect", written("sound", microEncoder())]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("1: what a file says is refused, and its names do not reach the terminal as they are", async () => {
    const name = "\u001b[2J\nrootstock: all is well\n\u202e";
    const tensors = editTensors(microEncoder(), "model.safetensors", (tensor) => tensor, [{ name, dtype: "F32", shape: [1], data: new Uint8Array(4) }]);
    const family = new Map(microEncoder()).set("config.json", encoded({ model_type: name }));
    for (const [files, refusal] of [[tensors, "tensor-unexpected"], [family, "family-unsupported"]] as const) {
      const { code, stdout, stderr } = await program(["inspect", written("names", files)]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(new RegExp(`^rootstock: ${refusal}: [^\\p{Cc}\\u202e]+\\n$`, "u"));
    }
  });

  it("2: wrong usage", async () => {
    expect((await program(["inspect"])).code).toBe(2);
  });

  it("70: a fault of ours, with the place where it happened", async () => {
    const broken = "data:text/javascript,process.stdout.write%20=%20()%20=>%20{%20throw%20new%20TypeError('broken')%20}";
    const { code, stdout, stderr } = await program(["inspect", written("fault", microEncoder())], "", { NODE_OPTIONS: `--import=${broken}` });
    expect({ code, stdout }).toEqual({ code: 70, stdout: "" });
    expect(stderr).toMatch(/^rootstock: internal: .*This is a bug/);
    record("P2", { "exit codes": 4 });
  });
});

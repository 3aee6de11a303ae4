import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { npyHeader } from "../../src/cli/npy.ts";
import { loadEncoder } from "../../src/index.ts";
import { adapterFolder, ENCODER, jsonLines, outcome, program, ROOT } from "./program.ts";

const TEXTS = Array.from({ length: 70 }, (_, index) => `Sentence number ${index} ${"goes on ".repeat(index % 7)}`.trim());

let folder: string;
let vectors: Float32Array[];
let adapted: Float32Array[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
  const encoder = await loadEncoder(ENCODER);
  await encoder.addAdapter("mood", adapterFolder("vader-sentiment"));
  vectors = await encoder.embed(TEXTS);
  adapted = await encoder.embed(TEXTS.slice(0, 1), { task: "mood" });
  encoder.dispose();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Reads a version 1.0 .npy file as the format's page describes it. */
function readNpy(bytes: Uint8Array): { shape: string; dtype: string; values: Float32Array } {
  expect([...bytes.subarray(0, 8)]).toEqual([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  const length = bytes[8]! + bytes[9]! * 256;
  const header = new TextDecoder().decode(bytes.subarray(10, 10 + length));
  expect((10 + length) % 64).toBe(0);
  expect(header.endsWith("\n")).toBe(true);
  expect(header).toContain("'fortran_order': False");
  return {
    shape: /'shape': \(([^)]*)\)/.exec(header)![1]!,
    dtype: /'descr': '([^']*)'/.exec(header)![1]!,
    values: new Float32Array(Uint8Array.from(bytes.subarray(10 + length)).buffer),
  };
}

describe("rootstock embed", () => {
  it("prints vectors that read back as the same float32", async () => {
    const { code, stdout, stderr } = await program(["embed", "-"], TEXTS.join("\n"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const rows = jsonLines<{ text: string; embedding: number[] }>(stdout);
    expect(rows.map(({ text }) => text)).toEqual(TEXTS);
    expect(rows.map(({ embedding }) => Float32Array.from(embedding))).toEqual(vectors);
  });

  it("applies an adapter", async () => {
    const { stdout } = await program(["embed", "--adapter", adapterFolder("vader-sentiment"), TEXTS[0]!]);
    const [row] = jsonLines<{ embedding: number[] }>(stdout);
    expect(Float32Array.from(row!.embedding)).toEqual(adapted[0]);
    expect(adapted[0]).not.toEqual(vectors[0]);
  });

  it("pools as it is told", async () => {
    const encoder = await loadEncoder(ENCODER);
    const [expected] = await encoder.embed([TEXTS[0]!], { pooling: "cls" });
    encoder.dispose();
    const [row] = jsonLines<{ embedding: number[] }>((await program(["embed", "--pooling", "cls", TEXTS[0]!])).stdout);
    expect(Float32Array.from(row!.embedding)).toEqual(expected);
    expect(await program(["embed", "--pooling", "max", TEXTS[0]!])).toMatchObject({ code: 2, stderr: expect.stringContaining("--pooling") as unknown });
  });

  it("writes a float32 .npy file, and nothing to standard output", async () => {
    const path = join(folder, "vectors.npy");
    expect(await program(["embed", "--output", path, "-"], TEXTS.join("\n"))).toEqual({ code: 0, stdout: "", stderr: "" });
    const { shape, dtype, values } = readNpy(readFileSync(path));
    expect({ shape, dtype }).toEqual({ shape: "70, 384", dtype: "<f4" });
    expect(values).toEqual(Float32Array.from(vectors.flatMap((vector) => [...vector])));
  });

  it("refuses a blank line where rows of a matrix are told apart by their place", async () => {
    const input = join(folder, "blank.txt");
    writeFileSync(input, "one\n\ntwo\n");
    const path = join(folder, "blank.npy");
    expect(await program(["embed", "--input", input, "--output", path])).toMatchObject({ code: 1, stderr: expect.stringMatching(/text-empty: .*blank\.txt, line 2/) as unknown });
    expect((await program(["embed", "--input", input])).stdout.trim().split("\n")).toHaveLength(2);
  });

  it("leaves no file behind when a text is refused", async () => {
    const path = join(folder, "refused.npy");
    const { code, stderr } = await program(["embed", "--output", path, "-"], `fine\n${"word ".repeat(600)}`);
    expect(stderr).toMatch(/^rootstock: text-too-long: standard input, line 2: /);
    expect(code).toBe(1);
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
  });

  it("refuses a disk on which the last vectors have no room, and leaves no file", async () => {
    const path = join(folder, "full.npy");
    // A limit on the size of files stands for the disk: 210 times 512 bytes, and the file would be 128 bytes longer.
    const child = spawn("sh", ["-c", 'ulimit -f 210 && exec "$0" "$@"', process.execPath, `${ROOT}dist/cli/main.js`, "embed", "--output", path, "-"]);
    const done = outcome(child);
    child.stdin.end(TEXTS.join("\n"));
    const { code, stderr } = await done;
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*full\.npy could not be written/);
    expect(code).toBe(1);
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
  });

  it("leaves a file alone that has the name of the one in the making", async () => {
    const path = join(folder, "taken.npy");
    writeFileSync(`${path}.part`, "mine");
    const { code, stderr } = await program(["embed", "--output", path, "text"]);
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*taken\.npy\.part is there already, perhaps of a run that was killed\. Remove it/);
    expect(code).toBe(1);
    expect([existsSync(path), readFileSync(`${path}.part`, "utf8")]).toEqual([false, "mine"]);
  });

  it("refuses an output that is no file, or its own input, before any work", async () => {
    const input = join(folder, "texts.txt");
    writeFileSync(input, "one\ntwo\n");
    const output = (path: string): Promise<unknown> => program(["embed", "--input", input, "--output", path]);
    const [inFolder, pipe, link] = ["a-folder", "a-pipe", "a-link"].map((name) => join(folder, name)) as [string, string, string];
    mkdirSync(inFolder);
    execFileSync("mkfifo", [pipe]);
    symlinkSync(input, link);
    for (const path of [inFolder, pipe]) expect(await output(path)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: argument-invalid: .*Give --output a file/) as unknown });
    for (const path of [input, link]) expect(await output(path)).toMatchObject({ code: 2, stderr: expect.stringContaining(`${path} is given for two things`) as unknown });
    expect([readFileSync(input, "utf8"), statSync(pipe).isFIFO(), existsSync(`${inFolder}.part`)]).toEqual(["one\ntwo\n", true, false]);
  });

  it("refuses an output that cannot be written", async () => {
    const { code, stderr } = await program(["embed", "--output", join(folder, "no/such/folder/x.npy"), "text"]);
    expect(stderr).toMatch(/^rootstock: target-unwritable: /);
    expect(code).toBe(1);
  });
});

describe("npyHeader", () => {
  it("has room for any number of rows and columns", () => {
    const { shape } = readNpy(npyHeader(Number.MAX_SAFE_INTEGER, 65536));
    expect(shape).toBe(`${Number.MAX_SAFE_INTEGER}, 65536`);
  });
});

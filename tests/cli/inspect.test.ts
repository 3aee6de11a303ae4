import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFiles } from "../../src/cli/folder-files.ts";
import type { Manifest } from "../../src/format/types.ts";
import { loadEncoder } from "../../src/index.ts";
import { ENCODER, program, ROOT } from "./program.ts";

const TINY = `${ROOT}tests/golden/tiny/bert`;
const DORA = `${ROOT}tests/golden/adapters/vader-dora`;
const { signal } = new AbortController();

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function inspected(args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await program(["inspect", "--json", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("rootstock inspect", () => {
  it("tells what an encoder is", async () => {
    const encoder = await loadEncoder(ENCODER);
    const { family, layers, hidden, heads, intermediate, vocabulary, maxTokens, fingerprint, converted } = encoder.info;
    encoder.dispose();
    const facts = await inspected([ENCODER]);
    expect(facts).toMatchObject({ what: "encoder", family, layers, hidden, heads, intermediate, vocabulary, maxTokens, fingerprint, converted });
    const files = facts["files"] as { name: string; bytes: number; checked: boolean }[];
    expect(files.find(({ name }) => name === "model.safetensors")).toMatchObject({ bytes: statSync(`${ENCODER}/model.safetensors`).size, checked: converted });
  });

  it("tells what an adapter is", async () => {
    const facts = await inspected([DORA]);
    expect(facts).toMatchObject({ what: "adapter", method: "DoRA, rank 4, alpha 8", labels: ["negative", "positive"], fit: null });
    expect(facts["config"]).toMatchObject({ kind: "lora", task: "sequence", dora: true, layers: [4, 5] });
  });

  it("looks at no labels of an adapter without a head", async () => {
    const features = join(folder, "features");
    cpSync(`${ROOT}tests/golden/peft/adapters/feature-extraction`, features, { recursive: true });
    writeFileSync(join(features, "config.json"), '{"id2label":{"7":null},"problem_type":"ranking"}');
    expect(await inspected([features])).toMatchObject({ what: "adapter", labels: [] });
  });

  it("checks an adapter against an encoder", async () => {
    const facts = await inspected([DORA, "--encoder", ENCODER]);
    expect(facts["fit"]).toMatchObject({ kind: "sequence", firstLayer: 4 });
    const { code, stderr } = await program(["inspect", DORA, "--encoder", TINY]);
    expect(stderr).toMatch(/^rootstock: adapter-mismatch: /);
    expect(code).toBe(1);
  });

  it("prints rows for people", async () => {
    const { code, stdout } = await program(["inspect", TINY]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^encoder +bert$/m);
    expect(stdout).toMatch(/^fingerprint +sha256:[0-9a-f]{64}$/m);
    expect(stdout).toMatch(/^form +Hugging Face/m);
  });

  it("refuses other folders", async () => {
    const { code, stderr } = await program(["inspect", folder]);
    expect(stderr).toMatch(/^rootstock: source-missing: .* neither config\.json/);
    expect(code).toBe(1);
  });

  it("reads files alone: no folder, and no pipe, whose reading would never end", async () => {
    const odd = join(folder, "odd");
    mkdirSync(join(odd, "adapter_config.json"), { recursive: true });
    expect(await program(["inspect", odd])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: source-missing: /) as unknown });
    cpSync(DORA, join(folder, "piped"), { recursive: true });
    rmSync(join(folder, "piped/adapter_model.safetensors"));
    execFileSync("mkfifo", [join(folder, "piped/adapter_model.safetensors")]);
    expect(await program(["inspect", join(folder, "piped")])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: source-missing: adapter_model\.safetensors/) as unknown });
    rmSync(join(folder, "piped/adapter_config.json"));
    symlinkSync("/dev/zero", join(folder, "piped/adapter_config.json"));
    expect(await program(["inspect", join(folder, "piped")])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: source-missing: /) as unknown });
  });

  it("reads no more of a configuration than the loader does", async () => {
    cpSync(DORA, join(folder, "large"), { recursive: true });
    truncateSync(join(folder, "large/adapter_config.json"), (1 << 20) + 1);
    expect(await program(["inspect", join(folder, "large")])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rootstock: limit-exceeded: .*adapter_config\.json/) as unknown });
  });

  it("follows links, of which folders in caches of models are made", async () => {
    const linked = join(folder, "linked");
    mkdirSync(linked);
    for (const name of readdirSync(TINY)) symlinkSync(join(TINY, name), join(linked, name));
    const [facts, own] = [await inspected([linked]), await inspected([TINY])];
    expect({ tokenizer: facts["tokenizer"], files: facts["files"] }).toEqual({ tokenizer: own["tokenizer"], files: own["files"] });
    expect(facts["files"]).not.toEqual([]);
  });
});

describe("checkFiles", () => {
  const bytes = new TextEncoder().encode("weights");
  const manifest = (size: number, digest: string): Manifest => {
    return { format: 1, fingerprint: "sha256:0", files: new Map([["a.bin", { size, sha256: digest }]]), quantization: new Map() };
  };
  const right = createHash("sha256").update(bytes).digest("hex");

  it("compares sizes and digests", async () => {
    const place = mkdtempSync(join(folder, "files-"));
    await expect(checkFiles(place, manifest(7, right), signal)).rejects.toMatchObject({ code: "source-missing" });
    writeFileSync(join(place, "a.bin"), bytes);
    writeFileSync(join(place, "b.txt"), "more");
    expect(await checkFiles(place, manifest(7, right), signal)).toEqual([
      { name: "a.bin", bytes: 7, checked: true },
      { name: "b.txt", bytes: 4, checked: false },
    ]);
    await expect(checkFiles(place, manifest(8, right), signal)).rejects.toMatchObject({ code: "source-truncated" });
    await expect(checkFiles(place, manifest(7, right.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))), signal)).rejects.toMatchObject({ code: "digest-mismatch" });
  });
});

describe("rootstock convert", () => {
  it("writes a folder that loads, and inspect finds a changed byte in it", async () => {
    const output = join(folder, "converted");
    const { code, stdout, stderr } = await program(["convert", TINY, output]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("rootstock.json");
    const facts = await inspected([output]);
    expect(facts).toMatchObject({ what: "encoder", converted: true, fingerprint: (await inspected([TINY]))["fingerprint"] });
    const weights = join(output, "model.safetensors");
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(weights, bytes);
    expect((await program(["inspect", output])).stderr).toMatch(/^rootstock: digest-mismatch: /);
    appendFileSync(weights, "x");
    expect((await program(["inspect", output])).stderr).toMatch(/^rootstock: source-truncated: /);
  });

  it("cuts a converted folder's weights, and inspect reads and checks the parts", async () => {
    const output = join(folder, "cut");
    expect((await program(["convert", ENCODER, output, "--part-bytes", "9000000"])).code).toBe(0);
    const facts = await inspected([output]);
    const whole = await inspected([ENCODER]);
    for (const fact of ["tensors", "fingerprint"]) expect(facts[fact]).toEqual(whole[fact]);
    const files = facts["files"] as { name: string; bytes: number; checked: boolean }[];
    expect(files.filter(({ name }) => name.startsWith("model.")).map(({ name, bytes, checked }) => ({ name, bytes, checked }))).toEqual([
      { name: "model.safetensors.part0", bytes: 9_000_000, checked: true },
      { name: "model.safetensors.part1", bytes: 9_000_000, checked: true },
      { name: "model.safetensors.part2", bytes: 5_718_824, checked: true },
    ]);
    truncateSync(join(output, "model.safetensors.part1"), 8_999_999);
    expect((await program(["inspect", output])).stderr).toMatch(/^rootstock: source-truncated: .*part1/);
    rmSync(join(output, "model.safetensors.part1"));
    expect((await program(["inspect", output])).stderr).toMatch(/^rootstock: source-missing: .*part1/);
  });

  it("refuses an empty file of texts before it writes anything", async () => {
    const texts = join(folder, "empty.txt");
    writeFileSync(texts, "\n\n");
    const output = join(folder, "never");
    const { code, stderr } = await program(["convert", TINY, output, "--calibrate", texts]);
    expect(stderr).toMatch(/^rootstock: argument-invalid: .* has no texts/);
    expect(code).toBe(1);
    expect(existsSync(output)).toBe(false);
  });
});

describe("rootstock export", () => {
  it("writes a folder in Hugging Face's form of a converted one, and refuses any other", async () => {
    const [converted, output] = [join(folder, "to-export"), join(folder, "exported")];
    expect((await program(["convert", TINY, converted])).code).toBe(0);
    const { code, stdout, stderr } = await program(["export", converted, output]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^exported: exported\n( +[\d.,]+ \w+ {2}[a-z_.]+\n){2,4}$/);
    const facts = await inspected([output]);
    const { layers, hidden, vocabulary } = await inspected([TINY]);
    expect(facts).toMatchObject({ what: "encoder", converted: false, layers, hidden, vocabulary });
    const again = await program(["export", output, join(folder, "never-exported")]);
    expect(again.stderr).toMatch(/^rootstock: argument-invalid: .* already/);
    expect({ code: again.code, wrote: existsSync(join(folder, "never-exported")) }).toEqual({ code: 1, wrote: false });
  });
});

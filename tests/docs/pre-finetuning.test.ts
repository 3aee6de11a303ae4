import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "../../src/cli/pretrain/config.ts";
import { place } from "../../src/format/json.ts";
import { REGIMES } from "../../src/pretrain/regime.ts";
import { readSettings } from "../../src/pretrain/settings.ts";
import { cosine } from "../encoder/cosine.ts";

const PAGE = readFileSync("docs/pre-finetuning.md", "utf8");

it("docs/pre-finetuning.md shows a configuration that is read", () => {
  const folder = mkdtempSync(join(tmpdir(), "rootstock-docs-"));
  writeFileSync(join(folder, "run.json"), /```json\n([^]*?)```/.exec(PAGE)![1]!);
  expect(readConfig(join(folder, "run.json"), {})).toMatchObject({ output: join(folder, "out"), settings: { regime: "task-primary", sources: { oewn_examples: { weight: 0.5 } } } });
  rmSync(folder, { recursive: true });
});

it("it names every setting and every regime", () => {
  const settings = readSettings({}, place("settings"));
  const rows = PAGE.split("\n").filter((line) => line.startsWith("| `")).join("\n");
  for (const [name, value] of Object.entries(settings)) {
    expect(rows, name).toContain(`\`${name}`);
    const inner = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
    for (const key of inner) expect(rows, `${name}.${key}`).toMatch(new RegExp(`\`(${name})?\\.${key}\``));
  }
  for (const regime of Object.keys(REGIMES)) expect(rows).toContain(`\`${regime}\``);
});

/** Runs a program of the page beside the package's own files, where `rootstock` is the package itself. */
function run(name: string, args: readonly string[], input = ""): { status: number | null; stdout: string; stderr: string } {
  const path = `.pre-finetuning-example-${process.pid}.mjs`;
  writeFileSync(path, new RegExp(`\`\`\`js\n(// ${name}[^]*?)\`\`\``).exec(PAGE)![1]!);
  try {
    return spawnSync(process.execPath, [path, ...args], { input, encoding: "utf8" });
  } finally {
    rmSync(path);
  }
}

it("its call of pretrain makes an encoder and adapters that load", () => {
  expect(run("pretrain.mjs", ["tests/golden/pretrain-loads/encoder"])).toMatchObject({ status: 0, stdout: "2 ner,tc\n", stderr: "" });
});

it("its program gives the last states of an encoder and its families' adapters", () => {
  const out = "tests/golden/pretrain-loads";
  const { input_ids, states } = JSON.parse(readFileSync(`${out}/states.json`, "utf8")) as { input_ids: number[][]; states: Record<string, number[][][]> };
  const { status, stdout, stderr } = run("states.mjs", [out], JSON.stringify(input_ids));
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const given = JSON.parse(stdout) as Record<string, number[][]>;
  expect(Object.keys(given)).toEqual(Object.keys(states));
  for (const [name, texts] of Object.entries(states)) {
    expect(given[name]).toHaveLength(input_ids.length);
    // In int8, as tests/pretrain/peft-loads.test.ts: 0.99993 and more; the states of another of the three reach 0.977.
    for (const [i, text] of texts.entries()) expect(cosine(given[name]![i]!, text.flat()), `${name}, text ${i}`).toBeGreaterThan(0.999);
  }
});

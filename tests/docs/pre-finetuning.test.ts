import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "../../src/cli/pretrain/config.ts";
import { place } from "../../src/format/json.ts";
import { REGIMES } from "../../src/pretrain/regime.ts";
import { readSettings } from "../../src/pretrain/settings.ts";

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

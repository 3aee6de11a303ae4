import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";

const PAGE = readFileSync("docs/fine-tuning.md", "utf8");

function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "m").exec(PAGE)![1]!;
}

it("docs/fine-tuning.md shows what its example prints", () => {
  const path = `.fine-tuning-example-${process.pid}.mjs`;
  writeFileSync(path, block("js"));
  try {
    expect(spawnSync(process.execPath, [path], { encoding: "utf8" })).toMatchObject({ status: 0, stdout: block("text"), stderr: "" });
  } finally {
    rmSync(path);
  }
});

it("lists every option", () => {
  const types = readFileSync("src/finetune/types.ts", "utf8");
  const [, options] = /export interface TrainingOptions \{([^]*?)\n\}/.exec(types)!;
  const names = [...options!.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(25);
  for (const name of names) expect(PAGE, name).toContain(`\`${name}`);
});

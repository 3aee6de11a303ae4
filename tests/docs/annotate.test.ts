import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

it("docs/annotate.md shows what its example writes", () => {
  const blocks = [...readFileSync("docs/annotate.md", "utf8").matchAll(/^```(jsonl|sh)\n([^]*?)^```/gm)].map(([, language, text]) => ({ language, text: text! }));
  const [input, output, errors] = blocks.filter(({ language }) => language === "jsonl").map(({ text }) => text);
  const [, ...args] = blocks.find(({ language }) => language === "sh")!.text.trim().split(" ");
  const folder = mkdtempSync(join(tmpdir(), "rootstock-docs-"));
  writeFileSync(join(folder, "texts.jsonl"), input!);
  expect(spawnSync(process.execPath, [resolve("dist/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" })).toMatchObject({ status: 0, stdout: "" });
  expect(readFileSync(join(folder, "done.jsonl"), "utf8")).toBe(output);
  expect(readFileSync(join(folder, "bad.jsonl"), "utf8")).toBe(errors);
  rmSync(folder, { recursive: true });
});

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";

const README = readFileSync("README.md", "utf8");

/** Contents of the fenced blocks of one language, in order. */
function blocks(language: string): string[] {
  // Text, block, text, block, …: every second part is a block, its language on the fence's line.
  return README.split(/^```/m)
    .filter((_, index) => index % 2 === 1)
    .filter((block) => block.startsWith(`${language}\n`))
    .map((block) => block.slice(language.length + 1));
}

/** Runs a script from the package's own folder, where `rootstock` is the package itself. */
function runScript(script: string): { status: number | null; stdout: string; stderr: string } {
  const path = `.readme-example-${process.pid}.mjs`;
  writeFileSync(path, script);
  try {
    return spawnSync(process.execPath, [path], { encoding: "utf8" });
  } finally {
    rmSync(path);
  }
}

it("the first example prints what the README says", () => {
  const [example] = blocks("js");
  const [output] = blocks("");
  expect(runScript(example!)).toMatchObject({ status: 0, stderr: "", stdout: output });
});

it("the adapter example runs after the first", () => {
  const [first, second] = blocks("js");
  expect(runScript(`${first}${second}console.log("done");`)).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/done\n$/) as unknown });
});

it("the commands it shows are the package's", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  for (const [, name] of README.matchAll(/npm (?:run )?(start|test|bench)\b/g)) expect(scripts).toHaveProperty(name!);
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

it("the first example runs with the models of the installed package, as it says to name them", () => {
  expect(README).toContain('`import.meta.resolve("rootstock/models/mtpf-minilm-l6")`');
  const [example] = blocks("js");
  const installed = example!.replaceAll(/"(models\/[^"]+)"/g, 'import.meta.resolve("rootstock/$1")');
  expect(installed).toContain('import.meta.resolve("rootstock/models/adapters/wikigold")');
  expect(runScript(installed)).toMatchObject({ status: 0, stderr: "", stdout: blocks("")[0] });
});

it("the install line names the tarball that npm pack makes", () => {
  const { name, version } = JSON.parse(readFileSync("package.json", "utf8")) as { name: string; version: string };
  expect(README).toContain(`npm install ../rootstock/${name}-${version}.tgz`);
});

it("the adapter example runs after the first", () => {
  const [first, second] = blocks("js");
  expect(runScript(`${first}${second}console.log("done");`)).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/done\n$/) as unknown });
});

it("the training example trains what it serves, after the first", () => {
  const example = blocks("js").find((block) => block.includes("rootstock/train"))!;
  const folder = mkdtempSync(join(tmpdir(), "rootstock-readme-"));
  const [imports, rest] = example.split(/(?<=;\n)([^]*)/) as [string, string];
  const rows = 'const rows = ["refund", "order"].flatMap((label) => Array.from({ length: 6 }, (_, n) => ({ text: `about a ${label} no. ${n}`, label }))), dev = rows.slice(4, 8);\n';
  const shown = 'console.log((await encoder.run("about a refund", ["tickets"])).tickets[0].label);\n';
  const saved = rest.replace('save("tickets")', `save(${JSON.stringify(join(folder, "tickets"))})`);
  const { status, stderr, stdout } = runScript(`${imports}${blocks("js")[0]!}${rows}${saved}${shown}`);
  expect({ status, stderr, last: stdout.trim().split("\n").at(-1) }).toEqual({ status: 0, stderr: "", last: "refund" });
  expect(readdirSync(join(folder, "tickets"))).toContain("adapter_model.safetensors");
  rmSync(folder, { recursive: true });
});

it("the commands it shows are the package's", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  const names = new Set([...README.matchAll(/npm (?:run )?(start|test|bench|demo)\b/g)].map(([, name]) => name!));
  expect([...names].sort()).toEqual(["bench", "demo", "start", "test"]);
  for (const name of names) expect(scripts).toHaveProperty(name);
});

import { spawnSync } from "node:child_process";
import { beforeAll, expect, it } from "vitest";

const SCRIPT = "tests/pool/runtimes/batch.mjs";

function run(program: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

let expected: string;

beforeAll(() => {
  const { status, stdout, stderr } = run(process.execPath, [SCRIPT]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^4 workers, [0-9a-f]{64}\n$/);
  expected = stdout;
});

it.each([
  ["Deno", "node_modules/.bin/deno", ["run", "-A", "--no-lock", SCRIPT]],
  ["Deno, with workers of the web's kind", "node_modules/.bin/deno", ["run", "-A", "--no-lock", SCRIPT, "--web"]],
  ["Bun", "node_modules/.bin/bun", [SCRIPT]],
  ["Bun, with workers of the web's kind", "node_modules/.bin/bun", [SCRIPT, "--web"]],
])("%s gives Node's bits, before and after workers are killed", (_, program, args) => {
  expect(run(program, args)).toMatchObject({ status: 0, stdout: expected });
});

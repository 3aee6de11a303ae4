import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { EXPECTED } from "./parallel/expected.ts";

// Every Node is tried by tests/runtimes/peers.test.ts.
it.each([
  ["Node", "node", []],
  ["Deno", "node_modules/.bin/deno", ["run", "-A", "--no-lock"]],
  ["Bun", "node_modules/.bin/bun", []],
])("%s: the same sums, the same errors, the same bits at each run of training, and no thread is left", (_, program, args) => {
  const { status, stdout } = spawnSync(program, [...args, "tests/train/parallel/runtime.mjs"], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: EXPECTED });
});

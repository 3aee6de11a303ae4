import { describe, expect, it } from "vitest";
import { EXPECTED } from "../train/parallel/expected.ts";
import { askedFor, ENGINES, findEngine, runScript, type EngineName } from "./engines.mjs";

const asked = askedFor();

/** Threads of an emulated processor take minutes for what takes seconds. */
const TRIED = ENGINES.filter((name) => name !== "arm64" || process.arch === "arm64");

describe.each(TRIED)("%s", (name: EngineName) => {
  it("trains with peers: the same sums, the same errors, the same bits at each run", ({ skip }) => {
    if (asked !== null && !asked.includes(name)) skip(`${name} is not among ROOTSTOCK_RUNTIMES`);
    const engine = findEngine(name);
    if ("absent" in engine) {
      if (asked !== null) throw new Error(`${name} is asked for and not here: ${engine.absent}.`);
      skip(`${name} is not here: ${engine.absent}.`);
      return;
    }
    expect(runScript(engine, "tests/train/parallel/runtime.mjs", [])).toBe(EXPECTED);
  });
});

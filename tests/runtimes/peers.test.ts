import { describe, expect, it } from "vitest";
import { EXPECTED } from "../train/parallel/expected.ts";
import { engineOrSkip } from "./engine-or-skip.ts";
import { ENGINES, runScript, type EngineName } from "./engines.mjs";

/** Threads of an emulated processor take minutes for what takes seconds. */
const TRIED = ENGINES.filter((name) => name !== "arm64" || process.arch === "arm64");

it.skipIf(!TRIED.includes("arm64"))(`arm64${TRIED.includes("arm64") ? " is among them" : " (skipped: threads of an emulated processor take minutes)"}`, () => expect(TRIED).toEqual(ENGINES));

describe.each(TRIED)("%s", (name: EngineName) => {
  it("trains with peers: the same sums, the same errors, the same bits at each run", (context) => {
    const engine = engineOrSkip(name, context);
    expect(runScript(engine, "tests/train/parallel/runtime.mjs", [])).toBe(EXPECTED);
  });
});

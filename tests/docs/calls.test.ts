import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ADAPTER_OPTIONS, EMBED_OPTIONS, ID_OPTIONS, LOAD_OPTIONS, RUN_OPTIONS, TRUNK_OPTIONS } from "../../src/runtime/options.ts";
import { Encoder } from "../../src/index.ts";

const sections = readFileSync("docs/calls.md", "utf8").split(/^## /m);
const [calls, options, errors] = ["# Calls", "Options\n", "Errors\n"].map((title) => sections.find((section) => section.startsWith(title)));

/** Names in a column of a table's rows. */
const named = (section: string, column: number): string[] =>
  section.split("\n").filter((line) => line.startsWith("| ")).flatMap((line) => [...(line.split(/(?<!\\)\|/)[column] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name!));

describe("docs/calls.md", () => {
  it("has every call of an encoder", () => {
    const members = Object.entries(Object.getOwnPropertyDescriptors(Encoder.prototype)).map(([name]) => name);
    // Marked @internal.
    const own = new Set(["constructor", "loaded", "states", "textStates", "between", "isLost"]);
    expect(named(calls!, 1).map((call) => call.split("(")[0]).sort()).toEqual(["loadEncoder", ...members.filter((name) => !own.has(name))].sort());
  });

  it("has every option, and none that is not", () => {
    const kinds = { ...RUN_OPTIONS, ...EMBED_OPTIONS, ...TRUNK_OPTIONS, ...ID_OPTIONS, ...LOAD_OPTIONS, ...ADAPTER_OPTIONS } as Readonly<Record<string, string>>;
    expect(named(options!, 2).sort()).toEqual(Object.keys(kinds).filter((name) => kinds[name] !== "own").sort());
  });

  it("has every error code, once", () => {
    const [, list] = /export type ErrorCode =([\s\S]*?);\s*(?:\/\/.*)?\n\n/.exec(readFileSync("src/errors.ts", "utf8"))!;
    expect(named(errors!, 1).sort()).toEqual([...list!.matchAll(/\| "([a-z-]+)"/g)].map(([, code]) => code!).sort());
  });
});

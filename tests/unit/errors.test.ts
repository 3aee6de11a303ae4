import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { quote, RootstockError } from "../../src/errors.ts";

it("every code of the list has a test that names it", () => {
  const codes = [...readFileSync("src/errors.ts", "utf8").matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, code]) => code!);
  expect(codes.length).toBeGreaterThan(30);
  const tests = readdirSync("tests", { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes("node_modules"));
  const text = tests.map((name) => readFileSync(join("tests", name), "utf8")).join("\n");
  expect(codes.filter((code) => !text.includes(code))).toEqual([]);
});

describe("messages", () => {
  it("are one printable line, whatever name they quote", () => {
    const { message } = new RootstockError("tensor-unexpected", 'a "b\n\u001b[31m\u0085\u2028\u202e\ud800" é😀');
    expect(message).toBe('a "b\\u000a\\u001b[31m\\u0085\\u2028\\u202e\\ud800" é😀');
  });

  it("let nothing through that turns the direction of text", () => {
    const units = ["\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"];
    for (const unit of units) expect(new RootstockError("argument-invalid", `a${unit}b`).message).toBe(`a\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}b`);
  });

  it("quote names short", () => {
    expect(quote("a\n\u0000")).toBe('"a\\n\\u0000"');
    expect(quote("x".repeat(1_000)).length).toBeLessThan(90);
  });
});

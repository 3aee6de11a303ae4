import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compilePattern, matchBudget, matchesWhole, matchStart, MAX_MATCH_STEPS } from "../../../src/format/python-regex.ts";
import { expectError, outcome } from "./crafted.ts";

type Case = [pattern: string, whole: number[], start: number[]];
interface Golden {
  names: string[];
  short: string[];
  hand: Case[];
  random: Case[];
  broken: string[];
  unsupported: string[];
  layers: [pattern: string, matches: [boolean, string | null][]][];
}
const golden = JSON.parse(readFileSync(new URL("../../golden/format/regex-cases.json", import.meta.url), "utf8")) as Golden;

function check([source, whole, start]: Case, texts: string[]): void {
  const pattern = compilePattern(source, matchBudget());
  const found = (test: (text: string) => boolean): number[] => texts.flatMap((text, i) => (test(text) ? [i] : []));
  expect(found((text) => matchesWhole(pattern, text, matchBudget())), `fullmatch ${source}`).toEqual(whole);
  expect(found((text) => matchStart(pattern, text, matchBudget()) !== null), `match ${source}`).toEqual(start);
}

describe("patterns against Python's re", () => {
  it(`agrees on ${golden.hand.length} patterns people write`, () => {
    for (const item of golden.hand) check(item, golden.names);
  });

  it(`agrees on ${golden.random.length} generated patterns`, () => {
    for (const item of golden.random) check(item, golden.short);
  });

  it("prefers the same match: the group idx", () => {
    for (const [source, matches] of golden.layers) {
      const pattern = compilePattern(source, matchBudget());
      for (const [i, [matched, index]] of matches.entries()) {
        const match = matchStart(pattern, golden.names[i] as string, matchBudget());
        expect([match !== null, match?.index ?? null], `${source} on ${golden.names[i]}`).toEqual([matched, index]);
      }
    }
  });

  it("splits ASCII into each shorthand class and its complement", () => {
    const members = { "\\d": /[0-9]/, "\\w": /[0-9A-Za-z_]/, "\\s": /[\t-\r ]/ };
    for (const [source, inside] of Object.entries(members)) {
      for (let code = 0; code < 128; code++) {
        const char = String.fromCharCode(code);
        for (const form of [source, `[${source}]`]) expect(matchesWhole(compilePattern(form, matchBudget()), char, matchBudget()), `${form} ${code}`).toBe(inside.test(char));
        for (const form of [source.toUpperCase(), `[^${source}]`, `[${source.toUpperCase()}]`]) {
          expect(matchesWhole(compilePattern(form, matchBudget()), char, matchBudget()), `${form} ${code}`).toBe(!inside.test(char));
        }
      }
    }
  });

  it("refuses what Python refuses", () => {
    for (const source of golden.broken) expectError(() => compilePattern(source, matchBudget()), "config-invalid", "regular expression");
  });

  it("refuses by name what it does not run", () => {
    for (const source of golden.unsupported) expectError(() => compilePattern(source, matchBudget()), "adapter-unsupported", "supported are");
  });
});

describe("hostile patterns", () => {
  const name = "bert.encoder.layer.11.attention.output.dense".repeat(2);

  it("has no exponential case", () => {
    for (const source of ["(a+)+$", "(([a-z.0-9]+)*)*X", "(.*)*(.*)*(.*)*X", "(a|a)*X", "(?:(?:[a-z]|[a-z.]|.)*)*X", "((.*)+)+\\d{9}", "(?!(.*)*X)(.*)*Y"]) {
      expect(matchesWhole(compilePattern(source, matchBudget()), name, matchBudget())).toBe(false);
    }
  });

  it("caps length, nesting, counts and expansion", () => {
    expect(outcome(() => compilePattern("a".repeat(2_000), matchBudget()))).toBe("accepted");
    expectError(() => compilePattern("a".repeat(2_001), matchBudget()), "limit-exceeded", "2000");
    expect(outcome(() => compilePattern("(".repeat(50) + ")".repeat(50), matchBudget()))).toBe("accepted");
    expectError(() => compilePattern("(".repeat(51) + ")".repeat(51), matchBudget()), "limit-exceeded", "50");
    expectError(() => compilePattern("a{1001}", matchBudget()), "limit-exceeded", "1000");
    expectError(() => compilePattern("a{0,1001}", matchBudget()), "limit-exceeded", "1000");
    for (const source of ["(a{1000}){1000}", "((a{0,1000}){0,1000}){0,1000}", "(?:(?!a{1000}){1000}){1000}", "(?!(?!(?!a{99}){99}){99}){99}"]) {
      expectError(() => compilePattern(source, matchBudget()), "limit-exceeded", "5000");
    }
    expect(matchesWhole(compilePattern("((((){1000}){1000}){1000}){1000}a", matchBudget()), "a", matchBudget())).toBe(true);
  });

  it("stops when the patterns of one adapter together take too long", () => {
    const pattern = compilePattern(`(${".*".repeat(900)})X`, matchBudget());
    const budget = matchBudget();
    expectError(() => {
      for (let i = 0; i < 100_000; i++) matchesWhole(pattern, name, budget);
    }, "limit-exceeded", String(MAX_MATCH_STEPS));
  });
});

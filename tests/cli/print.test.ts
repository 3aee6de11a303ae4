import { describe, expect, it } from "vitest";
import { printResults } from "../../src/cli/print-results.ts";
import { colours, plain } from "../../src/cli/print-style.ts";
import { bar, byteSize, clock, grouped, table } from "../../src/cli/print-table.ts";
import { markedPieces, printable, wrap, type Piece } from "../../src/cli/print-text.ts";
import type { TaskInfo } from "../../src/index.ts";

const unpainted = (): { words: Piece["paint"]; rest: Piece["paint"] } => ({ words: undefined, rest: undefined });

it("a table has as many rows as there are", () => {
  const rows = Array.from({ length: 200_000 }, (_, row) => [String(row), "x"]);
  expect(table(rows, "rl").at(-1)).toBe("199999  x");
});

describe("marked text", () => {
  it("marks in place", () => {
    const pieces = markedPieces("Ana met Bob.", [{ start: 0, end: 3, label: "PER" }, { start: 8, end: 11, label: "PER" }], unpainted);
    expect(wrap(pieces, 80)).toEqual(["[Ana|PER] met [Bob|PER]."]);
  });

  it("breaks at spaces only, and keeps what touches together", () => {
    const pieces = markedPieces("on New York-bound trains", [{ start: 3, end: 11, label: "LOC" }], unpainted);
    expect(wrap(pieces, 16)).toEqual(["on [New", "York|LOC]-bound", "trains"]);
    expect(wrap([{ text: "a verylongword b" }], 4)).toEqual(["a", "verylongword", "b"]);
    expect(wrap([{ text: " \n " }], 4)).toEqual([]);
  });

  it("does not count colours as columns", () => {
    const paint = (text: string): string => `<${text}>`;
    expect(wrap([{ text: "aa bb ", paint }, { text: "cc" }], 5)).toEqual(["<aa> <bb>", "cc"]);
  });

  it("replaces what a terminal would obey, unit by unit", () => {
    const text = "a\u001b[2Jb\tc\u0085\u202ed\u2028e";
    expect(printable(text)).toHaveLength(text.length);
    expect(printable(text)).toBe("a\ufffd[2Jb c\ufffd\ufffdd e");
  });
});

describe("tables and figures", () => {
  it("aligns", () => {
    expect(table([["a", "10", "x"], ["bbb", "9", ""]], "lrl")).toEqual(["a    10  x", "bbb   9"]);
    expect(table([], "lr")).toEqual([]);
  });

  it("draws bars of one width", () => {
    expect(bar(0, 4)).toBe("    ");
    expect(bar(0.5, 4)).toBe("██  ");
    expect(bar(0.53125, 4)).toBe("██▏ ");
    expect(bar(1, 4)).toBe("████");
    expect(bar(2, 4)).toBe("████");
  });

  it("groups digits and chooses units", () => {
    expect([0, 999, 1000, 1234567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([5.6, 599, 3599.4, 3723].map(clock)).toEqual(["0:06", "9:59", "59:59", "1:02:03"]);
    expect([999, 1_500_000].map(byteSize)).toEqual(["1.0 kB", "1.5 MB"]);
  });
});

describe("printResults", () => {
  const task = (name: string, kind: TaskInfo["kind"], labels: string[]): TaskInfo => ({ name, kind, labels, bytes: 0, resident: true, firstLayer: 0 });
  const tasks = [task("people", "token", ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), task("mood", "sequence", ["bad", "good"])];
  const results = {
    people: [{ entity_group: "LOC", score: 0.5, word: "Rio", start: 3, end: 6 }],
    mood: [{ label: "good", score: 0.75 }, { label: "bad", score: 0.25 }],
  };

  it("sets results out in columns", () => {
    expect(printResults("In Rio!", results, tasks, { style: plain, width: 80, offsets: "utf16" })).toBe(
      ["  people  In [Rio|LOC]!", "          LOC  3-6  0.500  Rio", "  mood    █████████    0.750  good", "          ███          0.250  bad", ""].join("\n"),
    );
  });

  it("prints the text by itself when no task marks it", () => {
    const { mood } = results;
    expect(printResults("In Rio!", { mood }, tasks, { style: plain, width: 80, offsets: "utf16" }).split("\n")[0]).toBe("In Rio!");
  });

  it("shows labels of single tokens, and offsets in code points where asked", () => {
    const people = [{ entity: "B-LOC", score: 0.5, index: 3, word: "Rio", start: 3, end: 6 }];
    const text = printResults("😀 Rio", { people }, tasks, { style: plain, width: 80, offsets: "codepoint" });
    expect(text).toContain("[Rio|B-LOC]");
    expect(text).toContain("2-5");
  });

  it("changes nothing but colours with colours", () => {
    const options = { width: 80, offsets: "utf16" } as const;
    const coloured = printResults("In Rio!", results, tasks, { ...options, style: colours });
    expect(coloured).toContain("\x1b[");
    // oxlint-disable-next-line no-control-regex
    expect(coloured.replace(/\x1b\[\d+m/g, "")).toBe(printResults("In Rio!", results, tasks, { ...options, style: plain }));
  });

  it("paints a type in one colour, whatever its tags say of the place", () => {
    const style = { ...plain, colour: (text: string, index: number): string => `${index}${text}` };
    const people = [{ entity: "S-PER", score: 1, index: 1, word: "a", start: 0, end: 1 }, { entity: "B-LOC", score: 1, index: 2, word: "b", start: 1, end: 2 }, { entity: "E-LOC", score: 1, index: 3, word: "c", start: 2, end: 3 }];
    const iobes = [task("people", "token", ["O", "B-PER", "S-PER", "B-LOC", "E-LOC"])];
    expect(printResults("abc", { people }, iobes, { style, width: 80, offsets: "utf16" }).split("\n")[0]).toBe("  people  0[0a0|S-PER]1[1b1|B-LOC]1[1c1|E-LOC]");
  });

  it("prints no task that was not asked for, whatever its name", () => {
    const odd = [task("constructor", "sequence", ["x"]), ...tasks];
    expect(printResults("In Rio!", results, odd, { style: plain, width: 80, offsets: "utf16" })).not.toContain("constructor");
  });
});

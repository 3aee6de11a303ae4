import { afterEach, describe, expect, it, vi } from "vitest";
import { RootstockError } from "../../../src/errors.ts";
import { DataDigest } from "../../../src/finetune/data-digest.ts";
import { LabelBook } from "../../../src/finetune/label-book.ts";
import { readData, type ReadOptions } from "../../../src/finetune/read-data.ts";
import { readRow, type CheckedRow } from "../../../src/finetune/rows.ts";
import { place } from "../../../src/format/json.ts";
import { Pace } from "../../../src/runtime/event-loop.ts";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import { WORD_PIECE } from "../../fuzz/micro.ts";

// The true caps take minutes to reach.
vi.mock("../../../src/limits.ts", async (original) => ({ ...(await original<object>()), MAX_TRAINING_ROWS: 5, MAX_LABELS: 8, MAX_TEXT_UNITS: 30 }));
afterEach(() => vi.unstubAllGlobals());

const at = place("train: row 1", "data-invalid");
const row = (value: unknown): CheckedRow => readRow(value, at, null, { offsets: "utf16" });
const refused = (code: string, says: RegExp): object => expect.objectContaining({ code, message: expect.stringMatching(says) as unknown }) as object;

function options(change: Partial<ReadOptions> = {}): ReadOptions {
  const tokenizer = createTokenizer(WORD_PIECE, null);
  return { set: "train", nameRow: undefined, tokenizer, maxLength: 10, book: new LabelBook(), kind: null, offsets: "utf16", pace: new Pace(), signal: undefined, ...change };
}

describe("rows", () => {
  it("of no known form are told what the forms are, the first one and later ones", () => {
    expect(() => row({ content: "a" })).toThrow(refused("data-invalid", /tokens, tags.*text, spans.*text, label.*"content"/));
    expect(() => readRow({}, at, "ner", { offsets: "utf16" })).toThrow(refused("data-invalid", /no fields/));
  });

  it("have their spans by start, the longer first", () => {
    const spans = [{ start: 2, end: 6, label: "b" }, { start: 0, end: 1, label: "a" }, { start: 0, end: 6, label: "c" }];
    expect(row({ text: "a tree", spans })).toMatchObject({ spans: [{ label: "c" }, { label: "a" }, { label: "b" }] });
  });

  it("keep prototypes as they are", () => {
    const value = JSON.parse('{"text":"a","label":"b","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as unknown;
    expect(row(value)).toEqual({ kind: "classification", text: "a", labels: ["b"] });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(() => row(JSON.parse('{"__proto__":{"text":"a","label":"b"}}'))).toThrow(refused("data-invalid", /"__proto__"/));
  });
});

describe("reading", () => {
  const labelled = (count: number): object[] => Array.from({ length: count }, (_, i) => ({ text: "a tree", label: `l${i % 2}` }));

  it("names rows as it is told to", async () => {
    const nameRow = (set: string, number: number): string => `line ${number + 1} of ${set}.csv`;
    await expect(readData([...labelled(2), 7], options({ nameRow }), (one) => one)).rejects.toEqual(refused("data-invalid", /line 4 of train\.csv/));
  });

  it("takes so many rows and labels and no more", async () => {
    expect((await readData(labelled(5), options(), (one) => one)).rows).toBe(5);
    await expect(readData(labelled(6), options(), (one) => one)).rejects.toEqual(refused("limit-exceeded", /more than 5 rows/));
    const labels = (count: number): object[] => [{ text: "a", labels: Array.from({ length: count }, (_, i) => `l${i}`) }];
    expect((await readData(labels(3), options(), (one) => one)).rows).toBe(1);
    await expect(readData(labels(4), options(), (one) => one)).rejects.toEqual(refused("limit-exceeded", /more than 3 labels/));
  });

  it("cuts texts and lists of words at the most that a text may have, and says so", async () => {
    const words = Array.from({ length: 20 }, () => "a");
    const { examples, warnings } = await readData([{ tokens: words, tags: words.map((_, i) => (i === 0 ? "B-X" : "O")) }], options({ maxLength: 64 }), (one) => one);
    expect(examples[0]!.read.length).toBe(15);
    expect(warnings).toEqual([expect.stringMatching(/1 rows are longer/)]);
    const texts = await readData([{ text: "a ".repeat(40), label: "x" }, { text: "b", label: "y" }], options({ maxLength: 64 }), (one) => one);
    expect(texts.examples[0]!.ids.length).toBe(2 + 15);
  });

  it("has no digest where the host cannot hash", async () => {
    const digest = new DataDigest();
    digest.add("x".repeat(1 << 20));
    expect(await digest.finish()).toMatch(/^sha256:[0-9a-f]{64}$/);
    vi.stubGlobal("crypto", undefined);
    const none = new DataDigest();
    none.add("x".repeat(1 << 20));
    expect(await none.finish()).toBeNull();
  });

  it("is of RootstockErrors alone", async () => {
    for (const rows of [null, 7, "text", {}, undefined]) {
      await expect(readData(rows as never, options(), (one) => one)).rejects.toBeInstanceOf(RootstockError);
    }
  });
});

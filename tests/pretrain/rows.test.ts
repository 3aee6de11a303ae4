import { describe, expect, it } from "vitest";
import { place } from "../../src/format/json.ts";
import { classNames, encodePair, encodeSentence, readCorpus } from "../../src/pretrain/corpus.ts";
import { equalPairs } from "../../src/pretrain/gradients.ts";
import { readPair, readSentence } from "../../src/pretrain/rows.ts";
import { readSettings } from "../../src/pretrain/settings.ts";
import type { PretrainingSettings } from "../../src/pretrain/types.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { refuses } from "../runtime/refuses.ts";
import { ENCODER } from "./tiny-run.ts";

const AT = place("ner.jsonl, row 3", "data-invalid");
const settings = (change: object = {}): PretrainingSettings => readSettings(change, place("settings", "argument-invalid"));
const tokenizer = createTokenizer(JSON.parse(new TextDecoder().decode(ENCODER.get("tokenizer.json"))), null);

describe("a sentence", () => {
  it("has its tags; an I that continues nothing begins", () => {
    expect(readSentence({ tokens: ["a", "b", "c", "d", "e"], tags: ["I-x", "I-x", "I-y", "O", "I-y"], source: "s", other: 1 }, AT)).toEqual({
      source: "s", words: ["a", "b", "c", "d", "e"], tags: ["B-x", "I-x", "B-y", "O", "B-y"],
    });
  });

  it("is no longer than a text may be", () => {
    const read = (units: number) => () => readSentence({ tokens: ["a".repeat(600_000), "b".repeat(units - 600_001)], tags: ["O", "O"] }, AT);
    expect(read(1_000_000)().words).toHaveLength(2);
    expect(read(1_000_001)).toThrow(expect.objectContaining({ code: "limit-exceeded", message: expect.stringContaining("row 3: tokens: 1000001 UTF-16 units with a space between them; at most 1000000 are read") as unknown }));
  });

  it("of text and spans is cut at white space and at spans", () => {
    const text = "Call O'Neil-Smith, in  São Paulo!";
    const span = (part: string, label: string) => ({ start: text.indexOf(part), end: text.indexOf(part) + part.length, label });
    const { words, tags } = readSentence({ text, spans: [span("São Paulo", "place"), span("O'Neil-Smith", "person")] }, AT);
    expect(words.map((word, i) => `${word}/${tags[i]}`)).toEqual(["Call/O", "O'Neil-Smith/B-person", ",/O", "in/O", "São/B-place", "Paulo/I-place", "!/O"]);
  });

  it.each<[string, unknown, RegExp]>([
    ["no object", "a b", /row 3: expected an object/],
    ["no words", { tokens: [], tags: [] }, /row 3: there are no tokens/],
    ["a tag too few", { tokens: ["a", "b"], tags: ["O"] }, /2 tokens and 1 tags/],
    ["a token that is no string", { tokens: ["a", 3], tags: ["O", "O"] }, /tokens: 1: expected a string/],
    ["a tag of another scheme", { tokens: ["a"], tags: ["S-x"] }, /tags: 0: "S-x" is no tag/],
    ["a tag without a type", { tokens: ["a"], tags: ["B-"] }, /"B-" is no tag/],
    ["a source that is a number", { tokens: ["a"], tags: ["O"], source: 3 }, /source: expected a string/],
    ["a span past the text", { text: "abc", spans: [{ start: 1, end: 9, label: "x" }] }, /spans: 0: end: expected a whole number from 2 to 3/],
    ["spans that overlap", { text: "a b c", spans: [{ start: 0, end: 3, label: "x" }, { start: 2, end: 5, label: "y" }] }, /the span at 2 overlaps/],
    ["an empty text", { text: " ", spans: [] }, /the text is empty/],
    ["neither", { words: ["a"] }, /text: expected a string, found nothing/],
    ["too many words", { tokens: new Array(20_000).fill("a"), tags: [] }, /tokens: expected a list of at most 16384/],
  ])("%s is refused", async (_, value, says) => {
    await refuses(Promise.resolve().then(() => readSentence(value, AT)), "data-invalid", says);
  });
});

describe("a pair", () => {
  it.each<[unknown, RegExp]>([
    [{ a: "x" }, /row 3: b: expected a string, found nothing/],
    [{ a: "x", b: "  " }, /row 3: b is empty/],
    [{ a: "\ud800", b: "x" }, /lone surrogate/],
  ])("%j is refused", async (value, says) => {
    await refuses(Promise.resolve().then(() => readPair(value, AT)), "data-invalid", says);
  });
});

describe("a corpus", () => {
  const sentence = (source: string | null, tags: string[]) => ({ tokens: tags.map((_, i) => `w${i}`), tags, ...(source === null ? {} : { source }) });

  it("names the row that is wrong, counted from 1 in its set", async () => {
    const rows = [sentence(null, ["O"]), sentence(null, ["O"]), { tokens: ["a"] }];
    await refuses(readCorpus({ ner: [{ name: "first", rows: [sentence(null, ["O"])] }, { name: "second", rows }], pairs: [] }, settings(), undefined), "data-invalid", /^second, row 3: tags/);
    async function* broken(): AsyncGenerator<unknown> {
      yield { a: "x", b: "y" };
      yield null;
    }
    await refuses(readCorpus({ ner: [], pairs: [{ name: "pairs", rows: broken() }] }, settings(), undefined), "data-invalid", /^pairs, row 2: expected an object, found null/);
  });

  it("restricts each source's softmax to its own types, without O where that is no evidence", async () => {
    const ner = [{ name: "n", rows: [sentence("a", ["B-x", "O"]), sentence("b", ["B-y", "I-y", "O"]), sentence("a", ["B-z"]), sentence("c", ["O"])] }];
    const corpus = await readCorpus({ ner, pairs: [] }, settings({ sources: { b: { outside: "ignored" } } }), undefined);
    expect(classNames(corpus)).toEqual(["O", "B-x", "I-x", "B-y", "I-y", "B-z", "I-z"]);
    const allowed = corpus.sentences.map((row) => [...encodeSentence(row, tokenizer, 16).allowed!].join(""));
    expect(allowed).toEqual(["1110011", "0001100", "1110011", "1000000"]);
    expect(encodeSentence(corpus.sentences[1]!, tokenizer, 16)).toMatchObject({ read: Int32Array.of(1, 2), labels: Int32Array.of(3, 4) });
    expect(encodeSentence(corpus.sentences[0]!, tokenizer, 16)).toMatchObject({ read: Int32Array.of(1, 2), labels: Int32Array.of(1, 0) });
  });

  it("leaves out sources of weight 0, and makes token ids once", async () => {
    const ner = [{ name: "n", rows: [sentence("a", ["B-x"]), sentence("b", ["B-y"])] }];
    const pairs = [{ name: "p", rows: [{ a: "w1 w2", b: "w3" }] }];
    const corpus = await readCorpus({ ner, pairs }, settings({ sources: { b: { weight: 0 } } }), undefined);
    expect(corpus.sentences).toHaveLength(1);
    expect(corpus.types).toEqual(["x"]);
    const row = corpus.pairs[0]!;
    const made = encodePair(row, tokenizer, 16);
    expect(made).toEqual({ a: Int32Array.of(2, 6, 7, 3), b: Int32Array.of(2, 8, 3) });
    expect(encodePair(row, tokenizer, 16)).toBe(made);
    expect(row.text).toBeNull();
  });

  it("labels first sub-tokens alone, and those that were not cut off", async () => {
    const rows = [{ tokens: ["w1-w2", "w3", "w4", "w5"], tags: ["B-x", "I-x", "O", "B-x"] }];
    const corpus = await readCorpus({ ner: [{ name: "n", rows }], pairs: [] }, settings(), undefined);
    // [CLS] w1 [UNK] w2 w3 w4 [SEP]: w5 is beyond
    expect(encodeSentence(corpus.sentences[0]!, tokenizer, 7)).toMatchObject({ read: Int32Array.of(1, 4, 5), labels: Int32Array.of(1, 2, 0) });
  });

  it("has a digest of its rows, their order and what they are cut into", async () => {
    const digest = async (...pairs: [string, string][]): Promise<string | null> =>
      (await readCorpus({ ner: [], pairs: [{ name: "p", rows: pairs.map(([a, b]) => ({ a, b })) }] }, settings(), undefined)).digest;
    const all = await Promise.all([digest(["a", "b"]), digest(["b", "a"]), digest(["a", "b"], ["c", "d"]), digest(["c", "d"], ["a", "b"]), digest(["a", "bc"]), digest(["ab", "c"])]);
    expect(new Set(all).size).toBe(all.length);
    expect(await digest(["a", "b"])).toBe(all[0]);
    expect(all[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe("negatives that are none", () => {
  it("are pairs with a text of the other pair, on either side, as the encoder sees it", () => {
    const pair = (a: number[], b: number[]) => ({ a: Int32Array.from(a), b: Int32Array.from(b) });
    const equal = equalPairs([pair([1], [2]), pair([1], [3]), pair([4], [2]), pair([2], [5]), pair([6], [7])]);
    expect([...equal].join("")).toEqual(["01110", "10000", "10010", "10100", "00000"].join(""));
  });
});

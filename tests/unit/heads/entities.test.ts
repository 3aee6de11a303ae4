import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  AGGREGATIONS,
  decodeEntities,
  tokensToScore,
  type Aggregation,
  type Entity,
  type EntityGroup,
  type EntityOptions,
  type TokenAlignment,
} from "../../../src/heads/entities.ts";
import { tagScheme } from "../../../src/heads/tags.ts";

interface GoldenResult {
  entity?: string;
  entity_group?: string;
  score: number;
  index?: number;
  word: string;
  start: number;
  end: number;
}

interface GoldenCase {
  name: string;
  text: string;
  labels: string[];
  ignoreLabels: string[];
  tokenStart: number[];
  tokenEnd: number[];
  wordOfToken: number[];
  words: { start: number; end: number; firstToken: number; tokenCount: number }[];
  probabilities: number[];
  expected: Record<Aggregation, GoldenResult[]>;
}

const golden: { same: GoldenCase[]; different: GoldenCase[] } = JSON.parse(
  readFileSync(new URL("../../golden/heads/entities.json", import.meta.url), "utf8"),
);

function alignmentOf(golden: GoldenCase): TokenAlignment {
  return {
    tokenStart: Int32Array.from(golden.tokenStart),
    tokenEnd: Int32Array.from(golden.tokenEnd),
    wordOfToken: Int32Array.from(golden.wordOfToken),
    words: golden.words,
  };
}

function decode(golden: GoldenCase, options: EntityOptions): (Entity | EntityGroup)[] {
  const probabilities = Float32Array.from(golden.probabilities);
  return decodeEntities({ probabilities }, golden.text, alignmentOf(golden), tagScheme(golden.labels), {
    ignoreLabels: golden.ignoreLabels,
    ...options,
  });
}

/** The pipeline's result with the one field that differs on purpose, `word`, as the slice of the text. */
function expectedOf(golden: GoldenCase, aggregation: Aggregation): object[] {
  const codePoints = Array.from(golden.text);
  return golden.expected[aggregation].map((result) => ({
    ...result,
    score: expect.closeTo(result.score, 12),
    word: codePoints.slice(result.start, result.end).join(""),
  }));
}

function differentCase(name: string): GoldenCase {
  const found = golden.different.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no golden case ${name}`);
  return found;
}

const briefly = (results: readonly (Entity | EntityGroup | GoldenResult)[]): string[] =>
  results.map((result) => `${"entity_group" in result ? result.entity_group : ""} ${result.start}-${result.end}`);

describe("results equal to the pipeline of transformers", () => {
  test("there are cases for every aggregation, and most find something", () => {
    expect(golden.same.length).toBeGreaterThanOrEqual(20);
    for (const aggregation of AGGREGATIONS) {
      const found = golden.same.filter((one) => one.expected[aggregation].length > 0);
      expect(found.length).toBeGreaterThan(golden.same.length / 2);
    }
  });

  for (const one of golden.same) {
    test.each(AGGREGATIONS)(`${one.name}: %s`, (aggregation) => {
      expect(decode(one, { aggregation, offsets: "codepoint" })).toEqual(expectedOf(one, aggregation));
    });
  }

  test.each(AGGREGATIONS)("UTF-16 offsets name the same stretch of text: %s", (aggregation) => {
    let shifted = 0;
    for (const one of golden.same) {
      const results = decode(one, { aggregation });
      const expected = one.expected[aggregation];
      expect(results.length).toBe(expected.length);
      results.forEach(({ start, end, word }, index) => {
        expect(one.text.slice(start, end)).toBe(word);
        expect(Array.from(one.text.slice(0, start)).length).toBe(expected[index]!.start);
        expect(Array.from(one.text.slice(0, end)).length).toBe(expected[index]!.end);
        if (start !== expected[index]!.start) shifted++;
      });
    }
    expect(shifted).toBeGreaterThan(5);
  });

  test("`first` needs the rows of first tokens only", () => {
    for (const one of golden.same) {
      const alignment = alignmentOf(one);
      const tokens = tokensToScore(alignment, "first");
      const classes = one.labels.length;
      const probabilities = new Float32Array(tokens.length * classes);
      tokens.forEach((token, row) => {
        probabilities.set(one.probabilities.slice(token * classes, (token + 1) * classes), row * classes);
      });
      const some = decodeEntities({ probabilities, tokens }, one.text, alignment, tagScheme(one.labels), {
        ignoreLabels: one.ignoreLabels,
      });
      expect(some).toEqual(decode(one, { aggregation: "first" }));
    }
  });
});

describe("differences from the pipeline", () => {
  test("a word is a run without white space, inner punctuation kept; the pipeline cuts at every mark", () => {
    const one = differentCase("inner punctuation");
    expect(one.text).toBe("Mr O'Neill of the U.S. paid 5.99");
    // Mr | O ' Neill | of | the | U . S | . | paid | 5 . 99
    const words = [
      { start: 0, end: 2, firstToken: 1, tokenCount: 1 },
      { start: 3, end: 10, firstToken: 2, tokenCount: 3 },
      { start: 11, end: 13, firstToken: 5, tokenCount: 1 },
      { start: 14, end: 17, firstToken: 6, tokenCount: 1 },
      { start: 18, end: 21, firstToken: 7, tokenCount: 3 },
      { start: 21, end: 22, firstToken: 10, tokenCount: 1 },
      { start: 23, end: 27, firstToken: 11, tokenCount: 1 },
      { start: 28, end: 32, firstToken: 12, tokenCount: 3 },
    ];
    const wordOfToken = [-1, 0, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 7, 7, 7, -1];
    expect(briefly(one.expected.first)).toEqual(["PER 3-4", "PER 5-10", "LOC 18-19", "LOC 20-21"]);
    const ours = decode({ ...one, words, wordOfToken }, { aggregation: "first" });
    expect(briefly(ours)).toEqual(["PER 3-10", "LOC 18-21"]);
    expect(ours.map(({ word }) => word)).toEqual(["O'Neill", "U.S"]);
  });

  test("a piece shorter than its surface is still the first of its word; the pipeline takes it for a later one", () => {
    const one = differentCase("inner combining mark");
    expect(one.text).toBe("Lisbon cafe\u0301s");
    expect(briefly(one.expected.first)).toEqual(["LOC 0-13"]);
    expect(briefly(decode(one, { aggregation: "first" }))).toEqual(["LOC 0-6", "PER 7-13"]);
    expect(briefly(decode(one, { aggregation: "simple" }))).toEqual(briefly(one.expected.simple));
  });

  test("IOBES prefixes are read; the pipeline takes E-PER and S-PER for types", () => {
    const one = differentCase("IOBES");
    // S-PER S-PER | B-PER I-PER E-PER | I-PER | S-LOC S-LOC | B-PER
    const ours = ["PER 0-2", "PER 3-6", "PER 7-20", "PER 21-23", "LOC 24-30", "LOC 31-38", "PER 39-40"];
    const theirs = ["PER 0-6", "PER 7-15", "PER 16-20", "PER 21-23", "LOC 24-38", "PER 39-40"];
    for (const aggregation of ["simple", "first", "average", "max"] as const) {
      expect(briefly(decode(one, { aggregation }))).toEqual(ours);
      expect(briefly(one.expected[aggregation])).toEqual(theirs);
    }
  });

  test("BILOU prefixes are read like IOBES; the pipeline takes L-PER and U-PER for types", () => {
    const one = differentCase("BILOU");
    const ours = ["PER 0-2", "PER 3-6", "PER 7-20", "PER 21-23", "PER 24-30", "PER 31-38", "PER 39-40"];
    expect(briefly(decode(one, { aggregation: "first" }))).toEqual(ours);
    expect(briefly(one.expected.first)).toEqual([
      "PER 0-6",
      "PER 7-15",
      "PER 16-20",
      "PER 21-23",
      "PER 24-38",
      "PER 39-40",
    ]);
  });

  test("a label without a prefix keeps its name; the pipeline drops what stands before its first hyphen", () => {
    const one = differentCase("plain label with a hyphen");
    expect(briefly(decode(one, { aggregation: "first" }))).toEqual(["creative-work 3-11", "person 16-23"]);
    expect(briefly(one.expected.first)).toEqual(["work 3-11", "person 16-23"]);
  });
});

describe("words that are cut off or empty", () => {
  const scheme = tagScheme(["O", "B-PER", "I-PER"]);
  const text = "Ana Kowalczyk x";
  // Given words: "Ana"; one that left no token; "Kowalczyk" with one of its tokens; one behind the cut.
  const alignment: TokenAlignment = {
    tokenStart: Int32Array.of(0, 0, 4, 0),
    tokenEnd: Int32Array.of(0, 3, 8, 0),
    wordOfToken: Int32Array.of(-1, 0, 2, -1),
    words: [
      { start: 0, end: 3, firstToken: 1, tokenCount: 1 },
      { start: 3, end: 3, firstToken: -1, tokenCount: 0 },
      { start: 4, end: 13, firstToken: 2, tokenCount: 1 },
      { start: 14, end: 15, firstToken: -1, tokenCount: 0 },
    ],
  };
  const probabilities = Float32Array.of(1, 0, 0, 0, 0.75, 0.25, 0.25, 0.25, 0.5, 0, 1, 0);

  test.each(["first", "average", "max"] as const)("%s joins over the empty word and keeps the cut one whole", (aggregation) => {
    expect(decodeEntities({ probabilities }, text, alignment, scheme, { aggregation })).toEqual([
      { entity_group: "PER", score: 0.625, word: "Ana Kowalczyk", start: 0, end: 13 },
    ]);
  });

  test("simple ends where the last token that was kept ends", () => {
    expect(decodeEntities({ probabilities }, text, alignment, scheme, { aggregation: "simple" })).toEqual([
      { entity_group: "PER", score: 0.625, word: "Ana Kowa", start: 0, end: 8 },
    ]);
  });

  test("tokensToScore leaves out special tokens and words without a token", () => {
    expect([...tokensToScore(alignment, "first")]).toEqual([1, 2]);
    expect([...tokensToScore(alignment, "none")]).toEqual([1, 2]);
  });
});

test("of tokens that are equally sure, max takes the first", () => {
  const alignment: TokenAlignment = {
    tokenStart: Int32Array.of(0, 1),
    tokenEnd: Int32Array.of(1, 2),
    wordOfToken: Int32Array.of(0, 0),
    words: [{ start: 0, end: 2, firstToken: 0, tokenCount: 2 }],
  };
  const probabilities = Float32Array.of(0.25, 0.75, 0, 0.25, 0, 0.75);
  const scheme = tagScheme(["O", "B-PER", "B-LOC"]);
  expect(decodeEntities({ probabilities }, "ab", alignment, scheme, { aggregation: "max" })).toEqual([
    { entity_group: "PER", score: 0.75, word: "ab", start: 0, end: 2 },
  ]);
});

describe("wrong input", () => {
  const one = golden.same[0]!;
  const scheme = tagScheme(one.labels);
  const probabilities = Float32Array.from(one.probabilities);

  test("a number of labels that does not fit", () => {
    const short = tagScheme(one.labels.slice(1));
    expect(() => decodeEntities({ probabilities }, one.text, alignmentOf(one), short)).toThrowError(
      expect.objectContaining({ name: "RootstockError", code: "labels-mismatch" }),
    );
  });

  test("an aggregation that needs rows which were not scored", () => {
    const tokens = Int32Array.of(1);
    const scores = { probabilities: probabilities.slice(0, one.labels.length), tokens };
    for (const aggregation of AGGREGATIONS) {
      expect(() => decodeEntities(scores, one.text, alignmentOf(one), scheme, { aggregation })).toThrowError(
        expect.objectContaining({ name: "RootstockError", code: "argument-invalid" }),
      );
    }
  });

  test("NaN", () => {
    const broken = probabilities.slice().fill(NaN);
    for (const aggregation of AGGREGATIONS) {
      expect(() =>
        decodeEntities({ probabilities: broken }, one.text, alignmentOf(one), scheme, { aggregation }),
      ).toThrowError(expect.objectContaining({ name: "RootstockError", code: "engine-fault" }));
    }
  });
});

test("a token of white space alone is no entity, and no part of one", () => {
  // "▁", "Ada", "▁" as Unigram cuts " Ada ": the marks stand for no character of the text.
  const alignment: TokenAlignment = {
    tokenStart: Int32Array.of(1, 1, 5), tokenEnd: Int32Array.of(1, 4, 5), wordOfToken: Int32Array.of(0, 0, 1),
    words: [{ start: 1, end: 4, firstToken: 0, tokenCount: 2 }, { start: 5, end: 5, firstToken: 2, tokenCount: 1 }],
  };
  const scheme = tagScheme(["O", "B-PER", "I-PER"]);
  const probabilities = Float32Array.of(0, 1, 0, 0, 0, 1, 0, 1, 0);
  expect(decodeEntities({ probabilities }, " Ada ", alignment, scheme, { aggregation: "simple" })).toEqual([{ entity_group: "PER", score: 1, word: "Ada", start: 1, end: 4 }]);
});

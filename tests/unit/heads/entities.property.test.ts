import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeEntities,
  type Entity,
  type EntityGroup,
  type TokenAlignment,
} from "../../../src/heads/entities.ts";
import { tagScheme } from "../../../src/heads/tags.ts";
import { tagsToSpans } from "../../../src/metrics/spans.ts";

const SETS = [
  ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
  ["O", "I-PER", "I-LOC", "I-creative-work"],
  ["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "L-Y", "U-Y"],
  ["person", "O", "place"],
];

interface Sample {
  text: string;
  alignment: TokenAlignment;
  labels: string[];
  probabilities: Float32Array;
}

/** Texts of words with 1 to 4 characters, every character a token, and a special token at each end. */
const samples: fc.Arbitrary<Sample> = fc
  .record({
    words: fc.array(fc.array(fc.constantFrom("a", "é", "東", "😀", "𝒳"), { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
    labels: fc.constantFrom(...SETS),
    gap: fc.constantFrom(" ", "  ", "\n"),
  })
  .chain(({ words, labels, gap }) => {
    const rows = 2 + words.flat().length;
    const row = fc
      .array(fc.integer({ min: 0, max: 20 }), { minLength: labels.length, maxLength: labels.length })
      .map((weights) => {
        const sum = weights.reduce((a, b) => a + b, 0) || 1;
        return weights.map((weight) => weight / sum);
      });
    return fc.array(row, { minLength: rows, maxLength: rows }).map((scores) => ({
      ...align(words, gap),
      labels,
      probabilities: Float32Array.from(scores.flat()),
    }));
  });

function align(words: readonly string[][], gap: string): { text: string; alignment: TokenAlignment } {
  let text = "";
  const [tokenStart, tokenEnd, wordOfToken] = [[0], [0], [-1]];
  const aligned = words.map((characters, index) => {
    if (index > 0) text += gap;
    const start = text.length;
    const firstToken = wordOfToken.length;
    for (const character of characters) {
      tokenStart.push(text.length);
      text += character;
      tokenEnd.push(text.length);
      wordOfToken.push(index);
    }
    return { start, end: text.length, firstToken, tokenCount: characters.length };
  });
  return {
    text,
    alignment: {
      tokenStart: Int32Array.from([...tokenStart, 0]),
      tokenEnd: Int32Array.from([...tokenEnd, 0]),
      wordOfToken: Int32Array.from([...wordOfToken, -1]),
      words: aligned,
    },
  };
}

function decode(sample: Sample, options: object): (Entity | EntityGroup)[] {
  const { probabilities, text, alignment, labels } = sample;
  return decodeEntities({ probabilities }, text, alignment, tagScheme(labels), options);
}

describe.each(["none", "simple", "first", "average", "max"] as const)("entities by %s", (aggregation) => {
  test("are sorted, do not overlap, equal their slice, and score in [0, 1]", () => {
    fc.assert(
      fc.property(samples, fc.boolean(), (sample, all) => {
        const results = decode(sample, { aggregation, ...(all ? { ignoreLabels: [] } : {}) });
        let end = 0;
        for (const result of results) {
          expect(result.start).toBeGreaterThanOrEqual(end);
          expect(result.end).toBeGreaterThan(result.start);
          expect(sample.text.slice(result.start, result.end)).toBe(result.word);
          expect(result.score).toBeGreaterThanOrEqual(0);
          expect(result.score).toBeLessThanOrEqual(1);
          end = result.end;
        }
        expect(end).toBeLessThanOrEqual(sample.text.length);
      }),
    );
  });

  test("cover every token when nothing is ignored", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const covered = decode(sample, { aggregation, ignoreLabels: [] }).map(({ word }) => word.replace(/\s/g, ""));
        expect(covered.join("")).toBe(sample.text.replace(/\s/g, ""));
      }),
    );
  });

  test("in code points are the slice of the list of characters", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const characters = Array.from(sample.text);
        const units = decode(sample, { aggregation });
        const points = decode(sample, { aggregation, offsets: "codepoint" });
        expect(points.map(({ word }) => word)).toEqual(units.map(({ word }) => word));
        for (const { start, end, word } of points) expect(characters.slice(start, end).join("")).toBe(word);
      }),
    );
  });
});

test.each(["first", "average", "max"] as const)("groups by %s are the spans that the metric reads from the tags", (aggregation) => {
  fc.assert(
    fc.property(samples, (sample) => {
      const { probabilities, text, alignment, labels } = sample;
      // Where every label begins an entity of its own, each word is one.
      const apart = { labels, tags: labels.map((type) => ({ position: "B" as const, type })) };
      const words = decodeEntities({ probabilities }, text, alignment, apart, { aggregation, ignoreLabels: [] }) as EntityGroup[];
      const tags = words.map(({ entity_group }) => entity_group);
      const spans = tagsToSpans(tags).map(({ label, start, end }) => ({
        entity_group: label,
        start: alignment.words[start]!.start,
        end: alignment.words[end - 1]!.end,
      }));
      const groups = decode(sample, { aggregation });
      expect(groups).toEqual(spans.map((span) => expect.objectContaining(span)));
    }),
  );
});

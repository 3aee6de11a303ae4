import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import { record } from "../../reliability/record.ts";
import { goldenFamily, tokenizerJson, type FamilyName } from "./goldens.ts";
import { explainDifference, tally } from "./offset-differences.ts";

interface Differences {
  /** Texts with other ids, and lists of given words with other ids. */
  readonly ids: number;
  readonly wordIds: number;
  /** Tokens with another range, by reason (offset-differences.ts), texts and given words together. */
  readonly offsets: Readonly<Record<string, number>>;
}

const NONE: Differences = { ids: 0, wordIds: 0, offsets: {} };
const EXPECTED: Readonly<Record<FamilyName, Readonly<Record<string, Differences>>>> = {
  "word-piece": {
    "cased, accents stripped": { ids: 0, wordIds: 0, offsets: { marks: 42 } },
    "text not cleaned": { ids: 0, wordIds: 0, offsets: { marks: 47 } },
  },
  "byte-level": {
    "prefix space": { ids: 0, wordIds: 0, offsets: { "lone space": 5, "own space": 6, space: 2 } },
    "no prefix space": { ids: 0, wordIds: 0, offsets: { space: 1 } },
    "offsets not trimmed": { ids: 0, wordIds: 0, offsets: { "lone space": 97, space: 996 } },
  },
  unigram: {
    "XLM-R": {
      ids: 0,
      wordIds: 0,
      offsets: { "lone space": 375, marks: 7, shifted: 4, space: 3 },
    },
    ALBERT: {
      ids: 0,
      wordIds: 0,
      offsets: { "lone space": 465, marks: 67, shifted: 4, space: 3, "whole character": 17 },
    },
    "Metaspace alone": {
      ids: 0,
      wordIds: 0,
      offsets: { "lone space": 157, marks: 9, space: 987, "typed ▁": 1, "whole character": 37 },
    },
    "no normaliser": { ids: 0, wordIds: 0, offsets: { "lone space": 1, space: 1019, "typed ▁": 1 } },
  },
};

const names = ["word-piece", "byte-level", "unigram"] as const;

describe.each(names)("%s against the reference", (name) => {
  const family = goldenFamily(name);

  it("is of the stated reference", () => {
    expect(family.reference).toBe("tokenizers 0.23.3");
  });

  it.each(family.variants.map((variant) => [variant.label, variant] as const))("%s", (label, variant) => {
    const tokenizer = createTokenizer(tokenizerJson(family, variant), null);
    const offsets: Record<string, number> = {};
    let ids = 0;
    for (const golden of variant.texts) {
      const text = family.texts[golden.text] as string;
      const encoded = tokenizer.encode(text);
      if (encoded.ids.join() !== golden.ids.join()) {
        ids++;
        continue;
      }
      golden.offsets.forEach((range, i) => {
        const ours = [encoded.tokenStart[i] ?? -1, encoded.tokenEnd[i] ?? -1] as const;
        tally(offsets, explainDifference(text, range, ours, name));
      });
    }
    let wordIds = 0;
    // Words are always read after a space: the reference refuses to take them otherwise, whatever the file says.
    const words = label === "no prefix space" ? family.variants[0]?.words : variant.words;
    words?.forEach((golden, i) => {
      const tokens = family.words[i] as readonly string[];
      const encoded = tokenizer.encodeWords(tokens);
      if (encoded.ids.join() !== golden.ids.join()) {
        wordIds++;
        return;
      }
      expect([...encoded.wordOfToken].map((word) => (word < 0 ? null : word))).toEqual(golden.words);
      golden.offsets.forEach((range, token) => {
        const word = golden.words[token] ?? null;
        if (word === null) return;
        const base = encoded.words[word]?.start ?? -1;
        const ours = [(encoded.tokenStart[token] ?? -1) - base, (encoded.tokenEnd[token] ?? -1) - base] as const;
        tally(offsets, explainDifference(tokens[word] as string, range, ours, name));
      });
    });
    expect({ ids, wordIds, offsets }).toEqual(EXPECTED[name][label] ?? NONE);
    record("T1", { strings: variant.texts.length, "other ids": ids });
  });
});

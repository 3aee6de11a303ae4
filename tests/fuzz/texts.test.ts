import { describe, expect, it } from "vitest";
import { createTokenizer, type TextTokenizer } from "../../src/text/tokenizer.ts";
import { index, seeded } from "../reliability/random.ts";
import { record } from "../reliability/record.ts";
import { cases, SEED } from "../reliability/scale.ts";
import { encodingFault } from "../unit/text/encoding-fault.ts";
import { goldenFamily, tokenizerJson } from "../unit/text/goldens.ts";
import { randomText } from "./generators/text.ts";
import { sliceFaults, type SliceFault } from "./oracles/slices.ts";

const KINDS = [["WordPiece", "word-piece"], ["BPE", "byte-level"], ["Unigram", "unigram"]] as const;

interface Subject {
  readonly label: string;
  readonly tokenizer: TextTokenizer;
  readonly sliceFault: SliceFault;
}

describe("any string gives ids in range, and offsets in order, inside it, on borders of characters, whose slices are the tokens", () => {
  it.each(KINDS)("%s", (kind, name) => {
    const family = goldenFamily(name);
    const subjects = family.variants.map((variant): Subject => {
      const json = tokenizerJson(family, variant);
      const tokenizer = createTokenizer(json, null);
      return { label: variant.label, tokenizer, sliceFault: sliceFaults(tokenizer, json) };
    });
    const count = cases(20_000, 1_000_000);
    let tokens = 0;
    for (let i = 0; i < count; i++) {
      const random = seeded(Math.imul(SEED, 0x9e3779b1) ^ Math.imul(i + 1, 0xc2b2ae35));
      const text = randomText(random);
      const { label, tokenizer, sliceFault } = subjects[index(random, subjects.length)]!;
      const encoded = tokenizer.encode(text);
      const fault = encodingFault(tokenizer, encoded, text) ?? sliceFault(encoded, text);
      if (fault !== null) throw new Error(`${label}, seed ${SEED}, text ${i}: ${fault} in ${JSON.stringify(text)}`);
      tokens += encoded.ids.length;
    }
    expect(tokens).toBeGreaterThan(2 * count);
    record("T2", { kind, strings: count, tokens, faults: 0 });
  });
});

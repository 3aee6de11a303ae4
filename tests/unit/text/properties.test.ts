import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteCharacters } from "./byte-characters.ts";
import { encodingFault } from "./encoding-fault.ts";
import { goldenFamily, tokenizersOf } from "./goldens.ts";

const RUNS = 700;

/** Pieces that hostile and ordinary text is made of. */
const nasty = fc.constantFrom(
  " ", "  ", "\n", "\t", "\r\n", "\u0000", "\u000b", "\u0085", "\u00a0", "\u2028", "\u3000", "\u200b", "\u200d", "\u200f", "\u00ad",
  "\ufeff", "\ufffd", "\uffff", "\ud800", "\udc00", "\ud83d\ude00", "\ud83d\udc68\u200d\ud83d\udc69", "\ud83c\udde9\ud83c\uddea",
  "e\u0301", "\u0301", "\u0323\u0307", "\u302e", "İ", "Σ", "ß", "ﬁ", "½", "각", "\u1112\u1161\u11ab", "中文", "\uf900", "カ", "ﾊﾟ", "ש",
  ".", ",", "'s", "''", "``", "\"", "(", "«", "…", "-", "▁", "##", "Ġ", "[SEP]", "<mask>", "</s>", "Rootstock", "word", "strip",
  "a", "the", "Paris", "O'Neill", "U.S.", "5.99", "x".repeat(101),
); // prettier-ignore

const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(nasty, { maxLength: 12 }).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }) },
);

describe.each(["word-piece", "byte-level", "unigram"] as const)("%s on any string", (name) => {
  const tokenizers = tokenizersOf(name);
  const uncached = tokenizersOf(name, 0);
  const smallCache = tokenizersOf(name, 4);

  it.each([...tokenizers.keys()])("%s: a character that stands for several words keeps its tokens in order", (label) => {
    const tokenizer = tokenizers.get(label)!;
    for (const input of ["\ufdfa", "a \ufdfa b", "\ufdfa\ufdfa", " \ufdfa"]) {
      expect(encodingFault(tokenizer, tokenizer.encode(input), input)).toBeNull();
      expect(encodingFault(tokenizer, tokenizer.encodeWords([input, "c"]), `${input} c`)).toBeNull();
    }
  });

  it.each([...tokenizers.keys()])("%s: given words are sound, one for each entry", (label) => {
    const tokenizer = tokenizers.get(label);
    if (tokenizer === undefined) throw new Error(label);
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (tokens) => {
        const encoded = tokenizer.encodeWords(tokens);
        expect(encodingFault(tokenizer, encoded, tokens.join(" "))).toBeNull();
        let base = 0;
        expect(encoded.words.map(({ start, end }) => [start, end])).toEqual(
          tokens.map((token) => [base, (base += token.length + 1) - 1]),
        );
      }),
      { numRuns: RUNS / 2 },
    );
  });

  it.each([...tokenizers.keys()])("%s: the cache changes nothing", (label) => {
    fc.assert(
      fc.property(text, (input) => {
        const expected = uncached.get(label)?.encode(input);
        expect(tokenizers.get(label)?.encode(input)).toEqual(expected);
        expect(smallCache.get(label)?.encode(input)).toEqual(expected);
      }),
      { numRuns: RUNS / 2 },
    );
  });

  it.each([...tokenizers.keys()])("%s: truncation keeps the first tokens and says so", (label) => {
    const tokenizer = tokenizers.get(label);
    if (tokenizer === undefined) throw new Error(label);
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 12 }), (input, maxTokens) => {
        const whole = tokenizer.encode(input);
        const cut = tokenizer.encode(input, { maxTokens });
        const kept = Math.min(whole.ids.length, maxTokens) - 1;
        expect(encodingFault(tokenizer, cut, input)).toBeNull();
        expect(cut.ids.length).toBe(kept + 1);
        expect(cut.tokenCount).toBe(whole.tokenCount);
        expect(cut.ids.slice(0, kept)).toEqual(whole.ids.slice(0, kept));
        expect(cut.ids[kept]).toBe(whole.ids[whole.ids.length - 1]);
        expect(cut.tokenEnd.slice(0, kept)).toEqual(whole.tokenEnd.slice(0, kept));
        expect(cut.wordOfToken.slice(0, kept)).toEqual(whole.wordOfToken.slice(0, kept));
        cut.words.forEach(({ start, end }, i) => expect(whole.words[i]).toMatchObject({ start, end }));
      }),
      { numRuns: RUNS / 2 },
    );
  });
});

describe("what the tokens say", () => {
  const wordPiece = goldenFamily("word-piece");
  const pieces = new Map(Object.entries(wordPiece.model.vocab as Record<string, number>).map(([piece, id]) => [id, piece]));

  it("a cased word piece is the text at its range", () => {
    const tokenizer = tokenizersOf("word-piece").get("no normaliser");
    if (tokenizer === undefined) throw new Error("no normaliser");
    fc.assert(
      fc.property(text, (input) => {
        const { ids, tokenStart, tokenEnd } = tokenizer.encode(input);
        for (let i = 1; i < ids.length - 1; i++) {
          const piece = pieces.get(ids[i] as number);
          if (piece === undefined || piece === "[UNK]") continue;
          const slice = input.slice(tokenStart[i], tokenEnd[i]);
          expect([piece, piece.replace(/^##/, "")]).toContain(slice);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("without added tokens, word pieces of words joined by a space are those of the words", () => {
    const tokenizer = tokenizersOf("word-piece").get("cased");
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (tokens) => {
        const joined = tokens.join(" ");
        fc.pre(!/\[SEP\]|Rootstock|word/.test(joined));
        expect(tokenizer?.encodeWords(tokens).ids).toEqual(tokenizer?.encode(joined).ids);
      }),
      { numRuns: RUNS },
    );
  });

  it("the byte-level tokens, put together, are the text", () => {
    const family = goldenFamily("byte-level");
    const tokenizer = tokenizersOf("byte-level").get("no prefix space");
    const names = new Map(Object.entries(family.model.vocab as Record<string, number>).map(([piece, id]) => [id, piece]));
    const bytes = byteCharacters();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (input) => {
        const ids = tokenizer?.encode(input).ids.slice(1, -1) ?? new Int32Array();
        const joined = [...ids].map((id) => names.get(id)).join("");
        const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
          Uint8Array.from([...joined].map((character) => bytes.get(character) as number)),
        );
        expect(decoded).toBe(input);
      }),
      { numRuns: RUNS },
    );
  });
});

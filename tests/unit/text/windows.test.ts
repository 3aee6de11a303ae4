import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowInWindow, windowsOf } from "../../../src/text/windows.ts";
import type { Encoded } from "../../../src/text/encoding.ts";

/** A text of words of the given numbers of tokens between one special token before and two after. */
function encodedOf(tokensOfWords: readonly number[]): Encoded {
  const wordOfToken = [-1, ...tokensOfWords.flatMap((count, word) => new Array<number>(count).fill(word)), -1, -1];
  const ids = wordOfToken.map((_, i) => i * 10);
  let firstToken = 1;
  const words = tokensOfWords.map((tokenCount) => {
    const word = { start: 0, end: 0, firstToken, tokenCount };
    firstToken += tokenCount;
    return word;
  });
  const zeros = new Int32Array(ids.length);
  return {
    ids: Int32Array.from(ids), tokenStart: zeros, tokenEnd: zeros, words, wordOfToken: Int32Array.from(wordOfToken),
    prefixLength: 1, suffixLength: 2, truncated: false, tokenCount: ids.length,
  }; // prettier-ignore
}

const plain = (tokens: number): Encoded => encodedOf(new Array<number>(tokens).fill(1));

describe("windowsOf", () => {
  it("is the text itself where it fits", () => {
    const encoded = plain(7);
    expect(windowsOf(encoded, 10, 3)).toEqual([{ ids: encoded.ids, first: 1, length: 7, from: 1, to: 8 }]);
  });

  it("cuts as Hugging Face tokenizers do: full windows that share `stride` tokens, the last as long as it is", () => {
    const windows = windowsOf(plain(12), 8, 2); // room for 5
    expect(windows.map(({ first, length }) => [first - 1, length])).toEqual([[0, 5], [3, 5], [6, 5], [9, 3]]);
    expect([...windows[1]!.ids]).toEqual([0, 40, 50, 60, 70, 80, 130, 140]);
    expect(windows.map(({ from, to }) => [from - 1, to - 1])).toEqual([[0, 4], [4, 7], [7, 10], [10, 12]]);
  });

  it("reads a word from one window where the shared tokens hold its beginning", () => {
    // Tokens 1 2 | 3 3 3 | 6 7 …: shared tokens 4–7 have their middle in the word of tokens 3–5.
    const windows = windowsOf(encodedOf([1, 1, 3, 1, 1, 1, 1]), 10, 4); // room for 7: tokens 1–7, 4–9
    expect(windows.map(({ first }) => first)).toEqual([1, 4]);
    expect(windows[0]!.to).toBe(6); // the middle is token 6: a word of its own
    expect(windowsOf(encodedOf([1, 1, 1, 1, 3, 1, 1]), 10, 4)[0]!.to).toBe(5); // the middle, token 6, is inside the word of 5–7
    expect(windowsOf(encodedOf([1, 7, 1]), 10, 4)[0]!.to).toBe(6); // a word that began before: cut in the middle
  });

  it("refuses an overlap that leaves no room for new tokens", () => {
    expect(() => windowsOf(plain(20), 8, 5)).toThrow(expect.objectContaining({ code: "argument-invalid" }));
  });

  it("reads every token once, in order, inside its window, with up to half of the overlap around it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 60 }), fc.integer({ min: 4, max: 40 }), fc.nat(), (lengths, maxTokens, n) => {
        const encoded = encodedOf(lengths);
        const room = maxTokens - 3;
        const stride = n % room;
        const windows = windowsOf(encoded, maxTokens, stride);
        let next = 1;
        for (const window of windows) {
          const { ids, first, length, from, to } = window;
          expect(ids.length).toBe(length + 3);
          expect(ids.length).toBeLessThanOrEqual(maxTokens);
          expect(from).toBe(next);
          expect(to).toBeGreaterThanOrEqual(from);
          expect(from).toBeGreaterThanOrEqual(first);
          expect(to).toBeLessThanOrEqual(first + length);
          for (let token = from; token < to; token++) expect(ids[rowInWindow(window, encoded, token)]).toBe(encoded.ids[token]);
          next = to;
        }
        expect(next).toBe(encoded.ids.length - 2);
        for (const [i, { first }] of windows.entries()) if (i > 0) expect(windows[i - 1]!.first + windows[i - 1]!.length - first).toBe(stride);
      }),
      { numRuns: 2000 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import { readUnigram, segmentUnigram } from "../../../src/text/unigram.ts";
import { matchWordPieces, splitVocabulary } from "../../../src/text/word-piece.ts";
import { byteCharacters } from "./byte-characters.ts";

describe("WordPiece", () => {
  const vocab = new Map([["[UNK]", 0], ["𝐚", 1], ["##𝐚", 2], ["ab", 3], ["##c", 4], ["a", 5], ["##b", 6]]); // prettier-ignore
  const vocabulary = { ...splitVocabulary(vocab, "##"), unknownId: 0, maxWordCodePoints: 3 };
  const match = (word: string): number[][] => {
    const out: number[][] = [];
    matchWordPieces(`<${word}>`, 1, word.length + 1, vocabulary, (...piece) => out.push(piece));
    return out;
  };

  it("takes the longest piece first and stays inside the word", () => {
    expect(match("abc")).toEqual([[3, 1, 3], [4, 3, 4]]);
    expect(match("ab")).toEqual([[3, 1, 3]]);
  });

  it("makes one unknown token of a word without a cover", () => {
    expect(match("abx")).toEqual([[0, 1, 4]]);
  });

  it("counts code points against the cap, and takes as many as it", () => {
    expect(match("𝐚𝐚𝐚")).toEqual([[1, 1, 3], [2, 3, 5], [2, 5, 7]]);
    expect(match("𝐚𝐚𝐚𝐚")).toEqual([[0, 1, 9]]);
    expect(match("abcc")).toEqual([[0, 1, 5]]);
  });
});

describe("Unigram", () => {
  it("scores an unknown character 10 below the lowest piece", () => {
    // "x" + "bc": −40 − 0.5 against "xb" + "c": −1 − 30. Unknown at −30 would win by a half.
    const vocabulary = readUnigram([["<unk>", 0], ["xb", -1], ["c", -30], ["bc", -0.5]], 0);
    expect(segmentUnigram("xbc", vocabulary)).toEqual({ ids: [1, 2], lengths: [2, 1] });
  });

  it("fuses unknown characters, surrogate pairs whole", () => {
    const vocabulary = readUnigram([["<unk>", 0], ["a", -1]], 0);
    expect(segmentUnigram("a👍\ud83dza", vocabulary)).toEqual({ ids: [1, 0, 1], lengths: [1, 4, 1] });
    expect(segmentUnigram("", vocabulary)).toEqual({ ids: [], lengths: [] });
  });
});

describe("white space before a byte-level word", () => {
  const merges = ["Ċ Ċ", "Ġ Ġ", "Ġ Ċ", "Ġ a"];
  const pieces = [...byteCharacters().keys(), ...merges.map((merge) => merge.replace(" ", ""))];
  const tokenizer = createTokenizer(
    {
      model: { type: "BPE", vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])), merges },
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    },
    null,
  );

  // Tokens of the reference (tokenizers 0.23.3) for the same model.
  it.each([
    ["\n\na", ["Ċ", "Ċ", "a"]],
    ["a\n\n", ["a", "ĊĊ"]],
    ["\n\n a", ["ĊĊ", "Ġa"]],
    [" \na", ["Ġ", "Ċ", "a"]],
    ["  a", ["Ġ", "Ġa"]],
    ["   a", ["ĠĠ", "Ġa"]],
    ["a   ", ["a", "ĠĠ", "Ġ"]],
    ["\n\n\na", ["ĊĊ", "Ċ", "a"]],
    ["a \n a", ["a", "ĠĊ", "Ġa"]],
  ])("%j", (text, tokens) => {
    expect([...tokenizer.encode(text).ids].map((id) => pieces[id])).toEqual(tokens);
  });
});

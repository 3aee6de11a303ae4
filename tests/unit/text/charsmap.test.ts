import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CharsMap } from "../../../src/text/charsmap.ts";
import { normalizeUnigram } from "../../../src/text/unigram-normalizer.ts";
import { charsmapGoldens, nmtNfkc } from "./goldens.ts";

const goldens = charsmapGoldens();

const normalizer = (base64: string): ((text: string) => string) => {
  const map = new CharsMap(base64);
  return (text) => normalizeUnigram(text, [{ type: "charsmap", map }]).text;
};

describe("a charsmap against the reference", () => {
  const normalize = normalizer(nmtNfkc());

  it("is of the stated reference", () => {
    expect(goldens.reference).toBe("tokenizers 0.23.3, sentencepiece 0.2.3");
  });

  it("XLM-R's rule: every code point of the planes that have characters, between letters and before a mark", () => {
    const different: string[] = [];
    goldens.codePoints.forEach((digest, index) => {
      const block = index === 0x30 ? 0xe0 : index;
      let text = "";
      for (let codePoint = block * 4096; codePoint < (block + 1) * 4096; codePoint++) {
        if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
        const character = String.fromCodePoint(codePoint);
        text += `x${character}x\n${character}\u0301\n`;
      }
      if (createHash("sha256").update(normalize(text)).digest("hex").slice(0, 12) !== digest) different.push((block * 4096).toString(16));
    });
    expect(goldens.codePoints.length).toBe(0x31);
    expect(different).toEqual([]);
  });

  it("XLM-R's rule: characters that join, or are replaced, in any order", () => {
    expect(goldens.texts.map(([text]) => normalize(text))).toEqual(goldens.texts.map(([, normalized]) => normalized));
  });

  it("a rule of one's own: the shortest beginning, of a short grapheme first", () => {
    const own = normalizer(goldens.own.charsmap);
    const normalized = goldens.own.texts.map(([, expected]) => expected);
    expect(goldens.own.texts.map(([text]) => own(text))).toEqual(normalized);
    const unended = normalizer(Buffer.from(goldens.own.charsmap, "base64").subarray(0, -1).toString("base64"));
    expect(goldens.own.texts.map(([text]) => unended(text))).toEqual(normalized);
  });
});

describe("long texts", () => {
  it("are mapped as their parts are, whatever joins, and never segmented whole", () => {
    const map = new CharsMap(nmtNfkc());
    const mapped = (text: string): string => normalizeUnigram(text, [{ type: "charsmap", map }]).text;
    const parts = ["ﬁ\u0301", "ｶﾞ", "👨🏻", "か", "👨\u200d👩", "가", "é\u0301", "\u0600ﬁ", "日", "ⅷ"];
    const text = parts.join("").repeat(50);
    const { segment } = Intl.Segmenter.prototype;
    let longest = 0;
    Intl.Segmenter.prototype.segment = function (input) {
      longest = Math.max(longest, input.length);
      return segment.call(this, input);
    };
    try {
      expect(mapped(text)).toBe(parts.map(mapped).join("").repeat(50));
      const pairs = `\u0903${"👨🏻".repeat(50)}`; // a window's end would part one
      expect(mapped(pairs)).toBe(pairs);
      expect(longest).toBeLessThan(100);
      expect(mapped(`e${"\u0301".repeat(1000)}ﬁ`)).toBe(`e${"\u0301".repeat(1000)}fi`);
    } finally {
      Intl.Segmenter.prototype.segment = segment;
    }
  });
});

describe("what a charsmap leaves out or joins", () => {
  it("keeps the sources", () => {
    const map = new CharsMap(nmtNfkc());
    const steps = [{ type: "charsmap", map }] as const;
    expect(normalizeUnigram("a\u200bﬁe\u0301", steps)).toEqual({ text: "a fié", start: [0, 1, 2, 2, 3], end: [1, 2, 3, 3, 5] });
    expect(normalizeUnigram("a\u0001b", steps)).toEqual({ text: "ab", start: [0, 2], end: [1, 3] });
  });
});

describe("a charsmap that is refused", () => {
  const sound = Buffer.from(goldens.own.charsmap, "base64");
  const trieUnits = sound.readUInt32LE(0) / 4;
  const isValue = (unit: number): boolean => sound.readUInt32LE(4 + 4 * unit) >>> 31 === 1;
  const changed = (change: (bytes: Buffer) => Buffer | void): string => {
    const bytes = Buffer.from(sound);
    return (change(bytes) ?? bytes).toString("base64");
  };
  const someValue = Array.from({ length: trieUnits }, (_, i) => i).find(isValue)!;
  const setUnit = (at: number, unit: number) => (bytes: Buffer) => void bytes.writeUInt32LE(unit >>> 0, 4 + 4 * at);

  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /is not a string/],
    ["another type", 5, /is not a string/],
    ["an empty one", "", /wrong size/],
    ["no base64", "a?b", /no base64/],
    ["a size alone", changed((bytes) => bytes.subarray(0, 3)), /wrong size/],
    ["a size past the end", changed((bytes) => void bytes.writeUInt32LE(bytes.length, 0)), /wrong size/],
    ["a size of no units", changed((bytes) => void bytes.writeUInt32LE(1025, 0)), /wrong size/],
    ["a trie of nothing", changed((bytes) => void bytes.writeUInt32LE(0, 0)), /wrong size/],
    ["strings that are no UTF-8", changed((bytes) => Buffer.concat([bytes, Buffer.of(0xff)])), /no UTF-8/],
    ["a trie that ends early", changed((bytes) => Buffer.concat([Buffer.of(4, 0, 0, 0), bytes.subarray(4, 8)])), /leads out of its trie/],
    ["a step out of the trie", changed(setUnit(5, 0x7fff_fc05)), /leads out of its trie/],
    ["a value past the strings", changed(setUnit(someValue, 0xffff_ffff)), /no place of a string/],
    ["a value inside a character", changed((bytes) => Buffer.concat([(setUnit(someValue, 0x8000_0000 + bytes.length - 4 - 4 * trieUnits + 1)(bytes), bytes), Buffer.from("é\0")])), /no place of a string/],
    ["a value that is none", changed(setUnit(someValue, 0)), /no value where it says so/],
  ])("%s", (_what, base64, reason) => {
    expect(() => new CharsMap(base64)).toThrow(expect.objectContaining({ code: "tokenizer-invalid", message: expect.stringMatching(reason) as string }));
  });

  it("or else, with any bytes changed, maps every text to something", () => {
    for (let at = 0; at < sound.length; at += 5) {
      for (const bit of [1 << at % 8, 0x80]) {
        let map: CharsMap;
        try {
          map = new CharsMap(changed((bytes) => void (bytes[at]! ^= bit)));
        } catch (error) {
          expect(error).toMatchObject({ code: "tokenizer-invalid" });
          continue;
        }
        for (const { text } of map.replacements("abé😀e\u0301\r\nα\udc00")) expect(typeof text).toBe("string");
      }
    }
  });
});

import { describe, expect, it } from "vitest";
import { AddedTokenSplitter, type AddedToken } from "../../../src/text/added-tokens.ts";
import { tokenizersOf } from "./goldens.ts";

const plain = { singleWord: false, lstrip: false, rstrip: false, normalized: false };

/** Sections as text, added tokens as their id before it. */
function split(text: string, tokens: readonly Partial<AddedToken>[]): string[] {
  const splitter = new AddedTokenSplitter(tokens.map((token, id) => ({ id, content: "", ...plain, ...token })));
  return splitter.split(text).map(({ id, start, end }) => `${id ?? ""}:${text.slice(start, end)}`);
}

describe("AddedTokenSplitter", () => {
  it("takes the leftmost, and of those the longest", () => {
    const tokens = [{ content: "ab" }, { content: "abc" }, { content: "bcd" }];
    expect(split("xabcd", tokens)).toEqual([":x", "1:abc", ":d"]);
    expect(split("abdbcd", tokens)).toEqual(["0:ab", ":d", "2:bcd"]);
  });

  it("takes the first of those that are written alike", () => {
    expect(split("ab", [{ content: "ab" }, { content: "ab" }])).toEqual(["0:ab"]);
  });

  it("takes a single word only where no word character touches it", () => {
    const tokens = [{ content: "in", singleWord: true }];
    expect(split("in fin inn in.𝐚in", tokens)).toEqual(["0:in", ": fin inn ", "0:in", ":.𝐚in"]);
    expect(split("in\u200d \u200cin \u200bin", tokens)).toEqual([":in\u200d \u200cin \u200b", "0:in"]);
  });

  it("takes white space along on the sides that strip, in no section", () => {
    expect(split("a \n<m> \t b", [{ content: "<m>", lstrip: true }])).toEqual([":a", "0:<m>", ": \t b"]);
    expect(split("a \n<m> \t b", [{ content: "<m>", rstrip: true }])).toEqual([":a \n", "0:<m>", ":b"]);
    expect(split("<m> <m>", [{ content: "<m>", rstrip: true, lstrip: true }])).toEqual(["0:<m>", "0:<m>"]);
  });

  it("reads contents as they are, not as expressions", () => {
    expect(split("a.b a+b [x] \\d", [{ content: "a+b" }, { content: "[x]" }, { content: "\\d" }])).toEqual([
      ":a.b ",
      "0:a+b",
      ": ",
      "1:[x]",
      ": ",
      "2:\\d",
    ]);
  });

  it("leaves the text whole without tokens, and none of an empty one", () => {
    expect(split("abc", [])).toEqual([":abc"]);
    expect(split("abc", [{ content: "" }])).toEqual([":abc"]);
    expect(split("", [{ content: "a" }])).toEqual([]);
  });
});

describe("an added token that is found in the normalised text", () => {
  it("leaves the marks behind it, when these are decomposed, to tokens of their own", () => {
    const text = "Rootstock\u0344";
    const { tokenStart, tokenEnd, prefixLength } = tokenizersOf("unigram").get("Metaspace alone")!.encode(text);
    const ranges = [...tokenStart].map((start, i) => text.slice(start, tokenEnd[i])).slice(prefixLength);
    expect(ranges[0]).toBe("Rootstock");
    expect(ranges.slice(1).some((slice) => slice === "\u0344")).toBe(true);
  });
});

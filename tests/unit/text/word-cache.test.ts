import { describe, expect, it } from "vitest";
import { WordCache } from "../../../src/text/word-cache.ts";

describe("WordCache", () => {
  it("never holds more than its capacity, and keeps what is used", () => {
    const cache = new WordCache<number>(10);
    cache.set("kept", -1);
    for (let i = 0; i < 1000; i++) {
      cache.set(`word${i}`, i);
      expect(cache.get("kept")).toBe(-1);
      expect(cache.size).toBeLessThanOrEqual(10);
    }
    expect(cache.get("word999")).toBe(999);
    expect(cache.get("word0")).toBeUndefined();
  });

  it("does not keep long words", () => {
    const cache = new WordCache<number>(10);
    cache.set("x".repeat(48), 1);
    cache.set("x".repeat(49), 2);
    expect(cache.get("x".repeat(48))).toBe(1);
    expect(cache.get("x".repeat(49))).toBeUndefined();
  });

  it("keeps words of any units apart", () => {
    const cache = new WordCache<number>(10);
    const words = ["\ud83d".repeat(13), "\ude00".repeat(13), "\u0000".repeat(20), "__proto__", "constructor", "é".repeat(14)];
    words.forEach((word, i) => cache.set(word, i));
    words.forEach((word, i) => expect(cache.get(word)).toBe(i));
  });

  it("keeps nothing at capacity 0", () => {
    const cache = new WordCache<number>(0);
    cache.set("a", 1);
    expect(cache.get("a")).toBeUndefined();
    expect(cache.size).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { quote, RootstockError } from "../../src/errors.ts";

describe("messages", () => {
  it("are one printable line, whatever name they quote", () => {
    const { message } = new RootstockError("tensor-unexpected", 'a "b\n\u001b[31m\u0085\u2028\u202e\ud800" é😀');
    expect(message).toBe('a "b\\u000a\\u001b[31m\\u0085\\u2028\\u202e\\ud800" é😀');
  });

  it("quote names short", () => {
    expect(quote("a\n\u0000")).toBe('"a\\n\\u0000"');
    expect(quote("x".repeat(1_000)).length).toBeLessThan(90);
  });
});

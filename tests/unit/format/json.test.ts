import { describe, expect, it } from "vitest";
import { parseJson, place, readBoolean, readChoice, readInteger, readList, readNumber, readObject, readString } from "../../../src/format/json.ts";
import { seeded } from "../../reliability/random.ts";
import { expectError, outcome } from "./crafted.ts";

const where = "config.json";
const at = place("config.json: size");
const parse = (text: string): unknown => parseJson(text, { where });

describe("parseJson", () => {
  it("reads what JSON.parse reads", () => {
    for (const text of ['{"a":[1,-2.5e3,true,false,null,"x"],"b":{"c":{}}}', "[]", '"a"', " 7 ", '{"a":"}{][,:\\"\\\\"}', '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}']) {
      expect(parse(text)).toEqual(JSON.parse(text));
      expect(parseJson(new TextEncoder().encode(text), { where })).toEqual(JSON.parse(text));
    }
  });

  it("refuses repeated keys, however they are spelled and wherever they stand", () => {
    for (const text of ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"b":[{"x":{"a":1,"b":[],"a":2}}]}', '{"__proto__":1,"__proto__":2}', '{"":1,"":2}', '{"a":{"b":1},"a":2}', '{"a":"b","a":"c"}']) {
      expectError(() => parse(text), "json-invalid", where, "occurs twice");
    }
    expectError(() => parseJson('{"a":1,"a":1}', { where, code: "header-invalid" }), "header-invalid", "occurs twice");
  });

  it("does not take values or array items for keys", () => {
    for (const text of ['{"a":"a","b":"a"}', '["a","a"]', '{"a":["b","b"],"b":"a"}', '[{"a":1},{"a":1}]', '{"a":{},"b":"b"}', '{"a":[],"b":"a"}']) {
      expect(outcome(() => parse(text))).toBe("accepted");
    }
  });

  it("refuses what is not JSON", () => {
    for (const text of ["", "{", '{"a"', '{"a":', '{"a":1,}', "{'a':1}", "[1,]", "NaN", "Infinity", "01", '"\\x"', '{"\\x":1}', '"a', "}", "]", "{]", '{"a":1}}', "<!DOCTYPE html>", "\u0000", '{"a":1}\u0000']) {
      expectError(() => parse(text), "json-invalid", where);
    }
  });

  it("refuses bytes that are not UTF-8", () => {
    for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc0, 0xaf, 0x22]]) {
      expectError(() => parseJson(Uint8Array.from(bytes), { where }), "json-invalid", "UTF-8");
    }
  });

  it("caps size and depth, and takes the cap itself", () => {
    expect(outcome(() => parseJson('"ab"', { where, maxBytes: 4 }))).toBe("accepted");
    expectError(() => parseJson('"abc"', { where, maxBytes: 4 }), "limit-exceeded", "4");
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(outcome(() => parseJson(nested(32), { where }))).toBe("accepted");
    expectError(() => parseJson(nested(33), { where }), "limit-exceeded", "32");
    expectError(() => parseJson('{"a":'.repeat(5), { where, maxDepth: 4 }), "limit-exceeded", "4");
    expectError(() => parseJson(nested(200_000), { where }), "limit-exceeded");
  });

  it("is linear: 1 MiB of one string, of keys, of backslashes", () => {
    const size = 1 << 20;
    const hostile = [`"${"a".repeat(size - 2)}"`, `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join(",")}}`, `"${"\\\\".repeat((size - 2) / 2)}"`, `"${"\\".repeat(size - 2)}`];
    // A quadratic scan of these would not end within the test's own limit.
    expect(hostile.map((text) => outcome(() => parse(text)))).toEqual(["accepted", "accepted", "accepted", "json-invalid"]);
  });

  it("ends in accepted or json-invalid for 5,000 mutants, and agrees with JSON.parse on all without repeated keys", () => {
    const random = seeded(1);
    const base = '{"a":[1,2,{"b":"c\\"d","e":null}],"f":{"g":-1.5e2,"h":true}}';
    const alphabet = '{}[],:"\\ae0 1.-tn';
    let accepted = 0;
    for (let i = 0; i < 5_000; i++) {
      let text = base;
      for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) {
        const cut = Math.floor(random() * text.length);
        text = text.slice(0, cut) + alphabet.charAt(Math.floor(random() * alphabet.length)) + text.slice(cut + Math.floor(random() * 2));
      }
      let reference: unknown;
      try {
        reference = JSON.parse(text);
      } catch {
        reference = undefined;
      }
      const result = outcome(() => parse(text));
      if (result === "accepted") {
        expect(parse(text)).toEqual(reference);
        accepted++;
      } else {
        expect(result).toBe("json-invalid");
      }
    }
    expect(accepted).toBeGreaterThan(500);
  });
});

describe("readers", () => {
  it("reads objects into Maps, prototype keys included, and leaves prototypes alone", () => {
    const before = Object.getOwnPropertyNames(Object.prototype).toString();
    const fields = readObject(parse('{"__proto__":{"x":1},"constructor":2,"prototype":3}'), at);
    expect([...fields.keys()]).toEqual(["__proto__", "constructor", "prototype"]);
    expect(fields.get("toString")).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype).toString()).toBe(before);
    expect(({} as { x?: number }).x).toBeUndefined();
    for (const value of [null, [], "a", 1, undefined]) expectError(() => readObject(value, at), "json-invalid", "config.json: size", "an object");
  });

  it("reads whole numbers in range only", () => {
    expect(readInteger(0, at, 0, 5)).toBe(0);
    expect(readInteger(5, at, 0, 5)).toBe(5);
    for (const text of ["-1", "6", "1.5", "1e400", "-0", "9007199254740993", '"1"', "null", "true", "[1]"]) {
      expectError(() => readInteger(parse(text), at, 0, 5), "json-invalid", "config.json: size", "0 to 5");
    }
    expectError(() => readInteger(parse("9007199254740993"), at, 0, Number.MAX_SAFE_INTEGER), "json-invalid");
    expectError(() => readInteger(undefined, place("x", "config-invalid"), 0, 1), "config-invalid", "found nothing");
  });

  it("reads finite numbers in range only", () => {
    expect(readNumber(0.5, at, 0, 1)).toBe(0.5);
    for (const text of ["1e400", "-1e400", "1.0001", "-0.0001", '"0.5"', "null"]) expectError(() => readNumber(parse(text), at, 0, 1), "json-invalid");
    expectError(() => readNumber(Number.NaN, at, 0, 1), "json-invalid");
  });

  it("reads booleans, strings, choices and lists", () => {
    expect(readBoolean(true, at)).toBe(true);
    for (const value of [0, "true", null]) expectError(() => readBoolean(value, at), "json-invalid");
    expect(readString("a\u{1f600}", at)).toBe("a\u{1f600}");
    expect(readString("abc", at, 3)).toBe("abc");
    expectError(() => readString("abcd", at, 3), "json-invalid", "at most 3");
    for (const text of ['"\\ud800"', '"a\\udc00b"', '"\\udc00\\ud800"']) expectError(() => readString(parse(text), at), "json-invalid", "lone surrogate");
    expectError(() => readString(5, at), "json-invalid", "a string");
    expect(readChoice("b", at, ["a", "b"])).toBe("b");
    for (const value of ["c", "toString", 1, null]) expectError(() => readChoice(value, at, ["a", "b"]), "json-invalid", "a, b");
    expect(readList([1, 2], at, 2, (item, itemAt) => readInteger(item, itemAt, 0, 9))).toEqual([1, 2]);
    expectError(() => readList([1, 2, 3], at, 2, () => 0), "json-invalid", "at most 2");
    expectError(() => readList([1, "x"], at, 2, (item, itemAt) => readInteger(item, itemAt, 0, 9)), "json-invalid", "config.json: size: 1");
    for (const value of [{}, "ab", null]) expectError(() => readList(value, at, 2, () => 0), "json-invalid", "a list");
  });

  it("says what it found", () => {
    const found = [[null, "null"], [5, "5"], [true, "true"], ["x", '"x"'], [[], "a list"], [{}, "an object"], [undefined, "nothing"]] as const;
    for (const [value, word] of found) expectError(() => readChoice(value, at, ["a"]), "json-invalid", `found ${word}.`);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RootstockError } from "../../src/errors.ts";
import { Heartbeat } from "../../src/pool/heartbeat.ts";
import { decodeMessage, encodeMessage, sent } from "../../src/pool/messages.ts";
import { packError, unpackError } from "../../src/packed-error.ts";
import { lengthOf, split } from "../../src/pool/split.ts";
import { loadPool } from "./built.ts";
import { addTasks, FOLDER, REQUESTS } from "./tiny.ts";

describe("split", () => {
  it("covers a list once, in order, in parts that are not longer than they must be", () => {
    const text = fc.nat(6000).map((length) => lengthOf("a".repeat(length)));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 300 }), (lengths) => {
        const parts = split(lengths);
        expect(parts.flatMap(({ first, end }) => lengths.slice(first, end))).toEqual(lengths);
        const total = lengths.reduce((sum, length) => sum + length, 0);
        for (const { first, end, size } of parts) {
          expect(size).toBe(lengths.slice(first, end).reduce((sum, length) => sum + length, 0));
          expect(end > first || lengths.length === 0).toBe(true);
          // One text alone may be longer: texts are not cut.
          if (end - first > 1) expect(size).toBeLessThanOrEqual(Math.max(256, Math.min(2048, Math.ceil(total / 16))));
        }
        // No two neighbours would have fitted into one part.
        for (const [i, part] of parts.entries()) if (i > 0) expect(parts[i - 1]!.size + lengths[part.first]!).toBeGreaterThan(256);
      }),
    );
  });

  it("is of one call: parts of a list are never refused for their number", async () => {
    using pool = await addTasks(await loadPool(FOLDER, { workers: 1, queueLimit: 1 }));
    expect(await pool.runBatch(REQUESTS)).toHaveLength(REQUESTS.length);
    expect(await pool.embed(REQUESTS.map(({ text }) => text ?? "w1"))).toHaveLength(REQUESTS.length);
  });

  it("gives one empty part for an empty list", () => expect(split([])).toEqual([{ first: 0, end: 0, size: 0 }]));

  it("counts texts and words, and takes what is neither for little", () => {
    expect(lengthOf("abc")).toBe(11);
    expect(lengthOf(["ab", "c"])).toBe(13);
    for (const item of [undefined, null, 7, {}]) expect(lengthOf(item)).toBe(8);
    expect(lengthOf([7, null])).toBe(8);
  });
});

describe("errors across the border", () => {
  const there = (error: unknown): Error => unpackError(structuredClone(packError(error)));

  it("keep class, code, message, stack and causes", () => {
    const inner = Object.assign(new RangeError("out of range"), { code: "ERR_RANGE" });
    const error = new RootstockError("tensor-shape", "wrong shape", { cause: new TypeError("middle", { cause: inner }) });
    const back = there(error);
    expect(back).toBeInstanceOf(RootstockError);
    expect(back).toEqual(error);
    expect(back).toMatchObject({ code: "tensor-shape", stack: error.stack });
    expect(back.cause).toBeInstanceOf(TypeError);
    expect((back.cause as Error).cause).toBeInstanceOf(RangeError);
    expect((back.cause as Error).cause).toMatchObject({ code: "ERR_RANGE", stack: inner.stack });
  });

  it("of every standard kind come back as that kind", () => {
    for (const kind of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, WebAssembly.RuntimeError]) {
      expect(there(new kind("m"))).toBeInstanceOf(kind);
      expect(there(new kind("m"))).toMatchObject({ name: kind.prototype.name, message: "m" });
    }
    expect(there(new DOMException("m", "AbortError"))).toBeInstanceOf(DOMException);
    expect(there(Object.assign(new Error("m"), { name: "Special", code: 7 }))).toMatchObject({ name: "Special", message: "m", code: 7 });
  });

  it("that are no errors, and causes that go round, come to an end", () => {
    for (const thrown of [undefined, null, 0, "text", Symbol("s"), { a: 1 }]) expect(there(thrown)).toMatchObject({ message: String(thrown) });
    const round = new Error("round");
    round.cause = round;
    expect(there(round)).toMatchObject({ message: "round", cause: { message: "round" } });
  });

  it("travel in messages, and what is no message is refused", () => {
    const message = decodeMessage(structuredClone(encodeMessage({ t: "s", e: new RangeError("m") })));
    expect(message.e).toBeInstanceOf(RangeError);
    for (const data of [undefined, null, 7, "q", {}, { t: "x" }, []]) expect(() => decodeMessage(data)).toThrow(TypeError);
  });
});

it("options go as they are, but for signal and onProgress", () => {
  const options = { signal: new AbortController().signal, onProgress: () => undefined, topK: null, someday: { new: 1 } };
  expect(sent(options)).toEqual({ topK: null, someday: { new: 1 } });
});

describe("heartbeat", () => {
  it("finds a worker that does not answer", async () => {
    let pings = 0;
    await new Promise<void>((resolve) => new Heartbeat(() => (pings++, new Promise(() => undefined)), resolve, 1).start());
    expect(pings).toBe(15);
  });

  it("lets one live that answers late but answers", async () => {
    let pings = 0;
    const lost: string[] = [];
    await new Promise<void>((resolve) => {
      const ping = (): Promise<unknown> => (++pings % 10 === 0 ? Promise.resolve() : new Promise(() => undefined));
      const heart = new Heartbeat(() => (pings === 60 ? (heart.stop(), resolve(), Promise.resolve()) : ping()), () => lost.push("lost"), 1);
      heart.start();
    });
    expect(lost).toEqual([]);
  });
});

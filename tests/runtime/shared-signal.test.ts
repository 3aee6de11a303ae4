import { getEventListeners } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder } from "../../src/index.ts";
import { AbortListeners } from "../../src/runtime/abort-listeners.ts";
import { loadOdd, ODD_ADAPTERS, words } from "./bert-odd.ts";

const REASON = new Error("enough");
const [NAME] = ODD_ADAPTERS.map(({ name }) => name) as [string];
const TEXTS = Array.from({ length: 20 }, (_, i) => words(3 + i % 9, i));
const IDS = [2, 5, 6, 7, 3];

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadOdd();
});

afterAll(() => encoder.dispose());

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

/** Calls of every kind, more than the ten listeners that Node takes for no leak. */
const callsWith = (signal: AbortSignal): Promise<unknown>[] => [
  ...TEXTS.map((text) => encoder.run(text, [NAME], { signal })),
  encoder.embed(TEXTS, { signal }),
  encoder.trunk(TEXTS[0]!, { signal }),
  encoder.logits(IDS, NAME, { signal }),
  encoder.hiddenStates(IDS, null, { signal }),
];

describe("calls that share a signal", () => {
  it("put one listener on it, which goes with the last of them, and Node does not warn of a leak", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", listen);
    const { signal } = new AbortController();
    for (let round = 0; round < 2; round++) {
      const calls = callsWith(signal);
      expect(listeners(signal)).toBe(1);
      await Promise.all(calls);
      expect(listeners(signal)).toBe(0);
    }
    // Warnings come with a turn of their own.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  it("all reject with its reason, without a turn of the event loop; those of another signal are answered", async () => {
    const [controller, other] = [new AbortController(), new AbortController()];
    const staying = callsWith(other.signal);
    const calls = callsWith(controller.signal);
    let turned = false;
    setImmediate(() => (turned = true));
    controller.abort(REASON);
    expect(listeners(controller.signal)).toBe(0);
    for (const outcome of await Promise.allSettled(calls)) expect(outcome).toEqual({ status: "rejected", reason: REASON });
    expect(turned).toBe(false);
    await Promise.all(staying);
    expect(listeners(other.signal)).toBe(0);
  });

  it("leave it when they are refused, and when the encoder is disposed", async () => {
    const { signal } = new AbortController();
    await Promise.allSettled([encoder.run(" ", [NAME], { signal }), encoder.run("w1", ["nobody"], { signal })]);
    expect(listeners(signal)).toBe(0);
    const own = await loadOdd({}, ODD_ADAPTERS.slice(0, 1));
    const calls = TEXTS.map((text) => own.embed([text], { signal }));
    own.dispose();
    for (const outcome of await Promise.allSettled(calls)) expect(outcome).toMatchObject({ reason: { code: "disposed" } });
    expect(listeners(signal)).toBe(0);
  });

  it("null stands for none", async () => {
    expect(await encoder.embed(["w1"], { signal: null as never })).toEqual(await encoder.embed(["w1"]));
  });
});

describe("AbortListeners", () => {
  it("tells each listener once, those alone that still listen, and those too that came after all had gone", () => {
    const all = new AbortListeners();
    const controller = new AbortController();
    const told: unknown[] = [];
    const listen = (name: string): (() => void) => all.listen(controller.signal, (reason) => told.push([name, reason]));
    const end = listen("gone");
    end();
    end();
    expect(listeners(controller.signal)).toBe(0);
    const ends = ["a", "b", "c"].map(listen);
    ends[1]!();
    expect(listeners(controller.signal)).toBe(1);
    controller.abort(REASON);
    expect(told).toEqual([["a", REASON], ["c", REASON]]);
    for (const one of ends) one();
    expect(listeners(controller.signal)).toBe(0);
  });
});

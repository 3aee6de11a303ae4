import { afterEach, describe, expect, it, vi } from "vitest";
import type { Example } from "../../src/finetune/examples.ts";
import { trainAdapter } from "../../src/finetune/index.ts";
import { Trunks } from "../../src/finetune/trunks.ts";
import type { Encoder } from "../../src/index.ts";
import { labelledRows, tinyEncoder, TOY } from "./fixture.ts";

afterEach(() => vi.restoreAllMocks());

const CAP = 128 << 20;

describe("trunks that are kept", () => {
  /** Texts whose states take so many bytes, and who was asked for them. Pages that nobody writes take no memory. */
  function start(sizes: readonly number[]) {
    const texts = sizes.map((_, i): Example => ({ ids: Int32Array.of(i), read: new Int32Array(1), gold: new Int32Array(1) }));
    const states = vi.fn(async (asked: readonly Example[], _depth: number, _signal?: AbortSignal) =>
      asked.map((text) => new Float32Array(sizes[texts.indexOf(text)]! / 4)));
    const { signal } = new AbortController();
    return { texts, states, signal, trunks: new Trunks({ states } as unknown as Encoder, 2, signal) };
  }

  it("fill the room to its last byte; what does not fit is made anew each time, and what comes after it may fit", async () => {
    const { texts, states, signal, trunks } = start([CAP - 4096, 4100, 4096, 4]);
    const [large, over, last, none] = texts as [Example, Example, Example, Example];
    const made = await trunks.of(texts);
    expect(made.map(({ byteLength }) => byteLength)).toEqual([CAP - 4096, 4100, 4096, 4]);
    expect(texts.map((text) => trunks.has([text]))).toEqual([true, false, true, false]);
    expect([trunks.has([large, last]), trunks.has([large, over])]).toEqual([true, false]);

    const again = await trunks.of([none, last, over, large]);
    expect(states.mock.calls).toEqual([[texts, 2, signal], [[none, over], 2, signal]]);
    expect(again.map(({ byteLength }) => byteLength)).toEqual([4, 4096, 4100, CAP - 4096]);
    expect([again[1] === made[2], again[3] === made[0]]).toEqual([true, true]);
    expect([again[0] === made[3], again[2] === made[1]]).toEqual([false, false]);
    expect(texts.map((text) => trunks.has([text]))).toEqual([true, false, true, false]);
  });

  it("ask the encoder for nothing when all are there", async () => {
    const { texts, states, trunks } = start([64, 64]);
    const made = await trunks.of(texts);
    expect(await trunks.of(texts.toReversed())).toEqual(made.toReversed());
    expect(states).toHaveBeenCalledTimes(1);
  });
});

describe("a run ends with the same bits", () => {
  const epochs = 3;
  const rows = { train: labelledRows(24), dev: labelledRows(9) };

  it.each([
    ["all", Infinity],
    ["10", 10],
    ["none", 0],
  ])("where there is room for the trunks of %s of its 33 rows", async (_, room) => {
    const encoder = await tinyEncoder();
    const run = () => trainAdapter(encoder, { name: "mood", ...rows }, { ...TOY, epochs });
    const plain = await run();
    const ask = encoder.states.bind(encoder);
    let asked = 0;
    vi.spyOn(encoder, "states").mockImplementation(async (...given) => {
      const states = await ask(...given);
      asked += states.length;
      // As large as if so many filled the room.
      for (const state of states) Object.defineProperty(state, "byteLength", { value: room === 0 ? CAP + 1 : Math.floor(CAP / room) });
      return states;
    });
    const trained = await run();
    const kept = Math.min(room, 33);
    expect(asked).toBe(kept + epochs * (33 - kept));
    expect(trained.files.get("adapter_model.safetensors")).toEqual(plain.files.get("adapter_model.safetensors"));
    expect({ ...trained.history, seconds: 0 }).toEqual({ ...plain.history, seconds: 0 });
  });
});

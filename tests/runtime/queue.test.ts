import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { AdapterStore } from "../../src/model/adapter-store.ts";
import { Call } from "../../src/runtime/call.ts";
import { RootstockError, type Encoder, type RunOptions, type TextRequest } from "../../src/index.ts";
import { editTensors } from "./folder.ts";
import { loadOdd, ODD_ADAPTERS, words } from "./bert-odd.ts";
import { refuses } from "./refuses.ts";

const NAMES = ODD_ADAPTERS.map(({ name }) => name);
const ALL: RunOptions = { topK: null, ignoreLabels: [] };
const TEXTS = Array.from({ length: 150 }, (_, i) => words(1 + (i % 17), i));

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadOdd();
});

afterAll(() => encoder.dispose());
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A clock of its own, ahead of every other: the encoder is shared, and for it no clock may go back. */
let clock = 1e9;
const tick = (): number => (clock += 10);

/** Time runs so fast that every step is followed by a turn of the event loop; returns how many there were. */
function everyStepTurns(): () => number {
  let turns = 0;
  vi.spyOn(performance, "now").mockImplementation(tick);
  vi.stubGlobal("scheduler", {
    async postTask() {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  return () => turns;
}

describe("an adapter whose norms take long", () => {
  const dora = ODD_ADAPTERS.find(({ name }) => name === "dora-all-linear")!;

  it("lets the event loop turn while they are made, and can be aborted then", async () => {
    using other = await loadOdd({}, []);
    const controller = new AbortController();
    const turns = everyStepTurns();
    await other.addAdapter("dora", dora.files, { labels: dora.labels });
    expect(turns()).toBeGreaterThan(100);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    const made = other.addAdapter("dora", dora.files, { labels: dora.labels, replace: true, signal: controller.signal });
    everyStepTurns();
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(made).rejects.toThrow("enough");
    expect(await other.run(TEXTS[0]!, ["dora"], ALL)).toEqual({ dora: (await encoder.run(TEXTS[0]!, [dora.name], ALL))[dora.name] });
  });

  it("is refused before they are made where it is too large", async () => {
    using small = await loadOdd({ adapterBudget: 8192 }, []);
    const read = vi.spyOn(small.loaded.format, "readChannel");
    await refuses(small.addAdapter("dora", dora.files, { labels: dora.labels }), "no-memory-left", /more than the whole adapter budget of 8192/);
    expect(read).not.toHaveBeenCalled();
  });
});

describe("calls under way together", () => {
  it("have the results they have alone, and finish in the order they were made", async () => {
    const alone = await encoder.runBatch(TEXTS.map((text, i) => ({ text, tasks: [NAMES[i % NAMES.length]!] })), ALL);
    const order: number[] = [];
    const together = await Promise.all(
      TEXTS.map(async (text, i) => {
        const result = await encoder.run(text, [NAMES[i % NAMES.length]!], ALL);
        order.push(i);
        return result;
      }),
    );
    expect(together).toEqual(alone);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it("of every kind", async () => {
    const ids = [2, 5, 6, 7, 3];
    const calls = (): Promise<unknown>[] => [
      encoder.run(TEXTS[5]!, NAMES.slice(0, 3), ALL),
      encoder.hiddenStates(ids, "ia3"),
      encoder.embed(TEXTS.slice(0, 9), { task: "all-linear" }),
      encoder.logits(ids, "bert-odd-token"),
      encoder.forward(ids, null),
      encoder.trunk(TEXTS[3]!).then((trunk) => encoder.run(trunk, ["layers-to-transform"], ALL)),
      encoder.logits(ids, "multi-label", { attentionMask: [1, 1, 0, 1, 1] }),
    ];
    const alone: unknown[] = [];
    for (let i = 0; i < calls().length; i++) alone.push(await calls()[i]);
    expect(await Promise.all(calls())).toEqual(alone);
  });

  it("beyond the limit are refused at once, and taken again when others are done", async () => {
    using small = await loadOdd({ queueLimit: 3 }, ODD_ADAPTERS.slice(0, 1));
    const [name] = NAMES as [string];
    const first = [1, 2, 3].map((i) => small.run(TEXTS[i]!, [name]));
    await refuses(small.run(TEXTS[0]!, [name]), "queue-full", /3 calls.*queueLimit/);
    await Promise.all(first);
    await small.run(TEXTS[0]!, [name]);
    // 256 by default.
    const many = Array.from({ length: 256 }, () => encoder.run(TEXTS[0]!, [name]));
    await refuses(encoder.run(TEXTS[0]!, [name]), "queue-full", /256 calls/);
    await Promise.all(many);
    for (const queueLimit of [0, 1.5, 2 ** 21]) await refuses(loadOdd({ queueLimit }), "argument-invalid", /queueLimit/);
  });

  it("share passes of 96 rows, and one call alone fills the workspace", async () => {
    // An encoder of its own: the shared one may still be at the turn of the test before, and then finds every turn due.
    using encoder = await loadOdd();
    // The clock stands still: no call is still encoding when the pass is put together.
    vi.spyOn(performance, "now").mockReturnValue((clock += 10));
    const released = vi.spyOn(AdapterStore.prototype, "release");
    const passes = async (calls: () => Promise<unknown>[]): Promise<number> => {
      released.mockClear();
      await Promise.all(calls());
      return released.mock.calls.length;
    };
    // 12 rows each: 10 words and two special tokens.
    const texts = Array.from({ length: 48 }, (_, i) => words(10, i));
    const [name] = NAMES as [string];
    expect(await passes(() => texts.map((text) => encoder.run(text, [name])))).toBe((48 * 12) / 96);
    expect(await passes(() => [encoder.runBatch(texts.map((text) => ({ text, tasks: [name] })))])).toBe(1);
    // 8 × 12 rows under two adapters are 16 × 12: a text is not parted to fill a pass.
    expect(await passes(() => texts.slice(0, 8).map((text) => encoder.run(text, NAMES.slice(0, 2))))).toBe(2);
    // A text of more rows than that has a pass of its own.
    const wide = { text: words(17, 1), tasks: NAMES.slice(0, 6) };
    const narrow = (i: number): TextRequest => ({ text: texts[i]!, tasks: [name] });
    expect(await passes(() => [encoder.runBatch([narrow(0), wide, narrow(1)]), encoder.run(texts[2]!, [name])])).toBe(3);
  });

  it("that are refused give their place back", async () => {
    using small = await loadOdd({ queueLimit: 1 }, []);
    for (let i = 0; i < 5; i++) {
      await refuses(small.run("w1", ["nobody"]), "task-unknown", /nobody/);
      await refuses(small.embed([""]), "text-empty", /empty/);
      await refuses(small.forward([], null), "ids-invalid", /empty/);
    }
    expect((await small.embed(["w1"])).length).toBe(1);
  });

  it("read what they were given, whatever their callers do with it afterwards", async () => {
    const ids = [2, 5, 6, 7, 3];
    const mask = [1, 0, 1, 1, 1];
    const expected = await encoder.logits(ids, "ia3", { attentionMask: mask });
    const [own, ownMask, typed, tokens] = [[...ids], [...mask], Int32Array.from(ids), ["w1", "w2"]];
    const calls = [encoder.logits(own, "ia3", { attentionMask: ownMask }), encoder.logits(typed, "ia3", { attentionMask: mask }), encoder.forward(own, null)];
    const options: { topK: number | null } = { topK: null };
    const run = encoder.runBatch([{ tokens, tasks: ["ia3"] }], options);
    own[2] = 2 ** 30;
    own.push(...new Array<number>(7000).fill(1));
    ownMask.fill(0);
    structuredClone(typed, { transfer: [typed.buffer] });
    tokens[0] = "w39 w38";
    options.topK = 1;
    const [a, b, states] = await Promise.all(calls);
    expect(a).toEqual(expected);
    expect(b).toEqual(expected);
    expect(states).toEqual(await encoder.forward(ids, null));
    expect(await run).toEqual(await encoder.runBatch([{ tokens: ["w1", "w2"], tasks: ["ia3"] }], { topK: null }));
  });

  it("go on after one whose work could not even begin", async () => {
    vi.spyOn(AdapterStore.prototype, "hold").mockImplementationOnce(() => {
      throw new RangeError("Array buffer allocation failed");
    });
    const broken = encoder.run(TEXTS[1]!, ["all-linear"], ALL);
    await expect(broken).rejects.toThrow("allocation failed");
    expect(Object.keys(await encoder.run(TEXTS[1]!, ["all-linear"], ALL))).toEqual(["all-linear"]);
  });

  it("of one text with thousands of tasks take steps in proportion", async () => {
    const [one] = ODD_ADAPTERS.filter(({ name }) => name === "ia3");
    using many = await loadOdd({}, []);
    const names = Array.from({ length: 600 }, (_, i) => `t${i}`);
    for (const name of names) await many.addAdapter(name, one!.files, { labels: one!.labels });
    let held = 0;
    const hold = AdapterStore.prototype.hold;
    vi.spyOn(AdapterStore.prototype, "hold").mockImplementation(function (this: AdapterStore, adapter) {
      held++;
      return hold.call(this, adapter);
    });
    const results = await many.run(TEXTS[16]!, names, ALL);
    expect(held).toBeLessThan(700);
    for (const name of names) expect(results[name]).toEqual(results["t0"]);
  });

  it("do not fail with one that overflows", async () => {
    const [one] = ODD_ADAPTERS.filter(({ name }) => name === "all-linear");
    const huge = editTensors(one!.files, "adapter_model.safetensors", (tensor) => {
      if (!tensor.name.includes("lora_B")) return tensor;
      return { ...tensor, data: new Uint8Array(new Float32Array(tensor.data.byteLength / 4).fill(3e38).buffer) };
    });
    await encoder.addAdapter("huge", huge, { labels: one!.labels });
    const calls = [encoder.run(TEXTS[1]!, ["all-linear"], ALL), encoder.run(TEXTS[2]!, ["huge"], ALL), encoder.run(TEXTS[3]!, ["all-linear"], ALL)];
    const [before, failed, after] = await Promise.allSettled(calls);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "tensor-value", message: expect.stringMatching(/task "huge"/) as unknown } });
    expect(before).toEqual({ status: "fulfilled", value: await encoder.run(TEXTS[1]!, ["all-linear"], ALL) });
    expect(after).toEqual({ status: "fulfilled", value: await encoder.run(TEXTS[3]!, ["all-linear"], ALL) });
    await encoder.removeAdapter("huge");
  });
});

describe("the event loop", () => {
  it("turns after every step that takes long, and results are the same", async () => {
    const requests = TEXTS.slice(0, 60).map((text) => ({ text, tasks: NAMES.slice(0, 4) }));
    const expected = await encoder.runBatch(requests, ALL);
    const turns = everyStepTurns();
    expect(await encoder.runBatch(requests, ALL)).toEqual(expected);
    // At least one a text for encoding, one a block of 24 rows in each of three layers.
    expect(turns()).toBeGreaterThan(60 + (3 * 60 * 4) / 24);
  });

  it("lets an abort in between two steps of one layer", async () => {
    const turns = everyStepTurns();
    const whole = turns();
    await encoder.run(TEXTS[16]!, NAMES.slice(0, 6));
    const all = turns() - whole;
    const controller = new AbortController();
    const reason = new Error("enough");
    const running = encoder.run(TEXTS[16]!, NAMES.slice(0, 6), { signal: controller.signal });
    const start = turns();
    while (turns() - start < 3) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // Nobody else waits for the pass, so it stops there.
    expect(turns() - start).toBeLessThan(all - 5);
    expect(await encoder.run(TEXTS[16]!, ["all-linear"], ALL)).toEqual((await encoder.runBatch([{ text: TEXTS[16]!, tasks: ["all-linear"] }], ALL))[0]);
  });

  it("turns while many texts are encoded; an abort then ends the call: no further text is encoded, and no pass begins", async () => {
    const requests = TEXTS.map((text) => ({ text, tasks: ["all-linear"] }));
    const expected = await encoder.runBatch(requests, ALL);
    const controller = new AbortController();
    const reason = new Error("enough");
    const [encode, take] = [vi.spyOn(encoder.loaded.tokenizer!, "encode"), vi.spyOn(Call.prototype, "take")];
    vi.spyOn(performance, "now").mockImplementation(tick);
    vi.stubGlobal("scheduler", {
      async postTask() {
        if (encode.mock.calls.length === 5) controller.abort(reason);
      },
    });
    await expect(encoder.runBatch(requests, { ...ALL, signal: controller.signal })).rejects.toBe(reason);
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
    expect([encode.mock.calls.length, take.mock.calls.length]).toEqual([5, 0]);
    expect(await encoder.runBatch(requests, ALL)).toEqual(expected);
  });

  it("turns between calls that are made in one tick", async () => {
    const turns = everyStepTurns();
    const calls = Array.from({ length: 40 }, (_, i) => encoder.run(TEXTS[i]!, []));
    const before = turns();
    await Promise.all(calls);
    expect(turns() - before).toBeGreaterThan(30);
  });

  it("is let turn by setImmediate, a message, or a timer, where there is no scheduler", async () => {
    const expected = await encoder.run(TEXTS[9]!, NAMES, ALL);
    vi.spyOn(performance, "now").mockImplementation(tick);
    for (const absent of [["scheduler"], ["scheduler", "setImmediate"], ["scheduler", "setImmediate", "MessageChannel"]]) {
      for (const name of absent) vi.stubGlobal(name, undefined);
      expect(await encoder.run(TEXTS[9]!, NAMES, ALL)).toEqual(expected);
    }
  });
});

describe("dispose", () => {
  it("ends every call that is under way, wherever it is", async () => {
    for (const wait of [0, 1, 2, 5]) {
      const other = await loadOdd({}, ODD_ADAPTERS.slice(0, 3));
      const ids = [2, 5, 6, 7, 3];
      const calls = [
        other.run(TEXTS[3]!, NAMES.slice(0, 3)),
        other.runBatch(TEXTS.map((text) => ({ text, tasks: NAMES.slice(0, 3) }))),
        other.embed(TEXTS),
        other.hiddenStates(ids, null),
        other.trunk(TEXTS[1]!),
      ];
      const outcomes = Promise.allSettled(calls);
      for (let i = 0; i < wait; i++) await new Promise((resolve) => setImmediate(resolve));
      other.dispose();
      other.dispose();
      if (wait === 0) expect((await outcomes).every(({ status }) => status === "rejected")).toBe(true);
      for (const outcome of await outcomes) {
        if (outcome.status === "rejected") expect((outcome.reason as RootstockError).code).toBe("disposed");
      }
      await refuses(other.run("w1", []), "disposed", /disposed/);
    }
  });
});

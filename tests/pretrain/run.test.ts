import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { packCheckpoint, unpackCheckpoint } from "../../src/finetune/checkpoint-format.ts";
import { pretrain, type Pretrained } from "../../src/pretrain/pretrain.ts";
import { Trainer } from "../../src/pretrain/trainer.ts";
import type { PretrainingHistory, PretrainingOptions, PretrainingProgress } from "../../src/pretrain/types.ts";
import { moduleBytes } from "../kernels/instance.ts";
import { editJson } from "../runtime/folder.ts";
import { refuses } from "../runtime/refuses.ts";
import { DATA, ENCODER, MemoryStore, OPTIONS } from "./tiny-run.ts";

const train = (change: Partial<PretrainingOptions> = {}): Promise<Pretrained> => pretrain(ENCODER, DATA, { ...OPTIONS, ...change });
/** A digest of every file. */
const files = ({ encoder, adapters }: Pretrained): string[] =>
  [["encoder", encoder] as const, ...adapters].flatMap(([folder, own]) => [...own].map(([name, bytes]) => `${folder}/${name} ${createHash("sha256").update(bytes).digest("hex")}`));
/** All but how long it took. */
const story = (history: PretrainingHistory): unknown => ({ ...history, seconds: 0 });

afterEach(() => vi.restoreAllMocks());

describe("a run", () => {
  it("lowers both losses and says what happened", async () => {
    const seen: PretrainingProgress[] = [];
    const { history, head, adapters } = await train({ steps: 300, probe: { every: 30, averageEvery: 40, batches: 2 }, onProgress: (progress) => seen.push(progress), writesHead: true });
    const mean = (of: "ner" | "tc", from: number): number => history.steps.slice(from, from + 10).reduce((sum, step) => sum + step[of]! / 10, 0);
    expect(mean("ner", 290)).toBeLessThan(0.5 * mean("ner", 0));
    expect(mean("tc", 290)).toBeLessThan(0.3 * mean("tc", 0));
    expect(history.steps.map(({ step }) => step)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(history.tokens).toBe(history.steps.reduce((sum, { tokens }) => sum + tokens, 0));
    expect(history.sources).toEqual([
      { name: "gold", family: "ner", rows: 30, types: 2, weight: 1, outside: "label" },
      { name: "weak", family: "ner", rows: 10, types: 1, weight: 1, outside: "ignored" },
      { name: "facts", family: "tc", rows: 30, types: 0, weight: 1, outside: "label" },
    ]);
    const parts = ["embeddings", "layer 0", "layer 1", "layer 2", "layers"];
    expect(history.probes.map(({ step, batches }) => `${step}:${batches}`)).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1).flatMap((step) => [...(step % 30 === 0 ? [`${step}:1`] : []), ...(step % 40 === 0 ? [`${step}:2`] : [])]),
    );
    for (const probe of history.probes) expect(probe.parts.map(({ part }) => part)).toEqual(parts);
    expect(seen.map(({ step }) => step)).toEqual(history.steps.map(({ step }) => step));
    expect(seen.at(-1)).toMatchObject({ step: 300, steps: 300, secondsLeft: 0 });
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    expect([...adapters.keys()]).toEqual(["ner", "tc"]);
    expect(JSON.parse(new TextDecoder().decode(head!.get("labels.json")))).toEqual(["O", "B-low", "I-low", "B-next", "I-next", "B-high", "I-high"]);
  });

  it("gives the same bits again, with probes or without", async () => {
    const once = files(await train());
    expect(files(await train())).toEqual(once);
    expect(files(await train({ probe: { every: null, averageEvery: null } }))).toEqual(once);
    expect(files(await train({ seed: 2 }))).not.toEqual(once);
  });

  it.each(["task-primary", "pcgrad", "groups-only"] as const)("%s goes on after an abort with the same bits and history", async (regime) => {
    const whole = await train({ regime });
    for (const stop of [1, 3, 4, 6]) {
      const store = new MemoryStore();
      const abort = new AbortController();
      const cut = train({ regime, checkpoint: store, checkpointEvery: stop, signal: abort.signal, onProgress: ({ step }) => step === stop + 1 && abort.abort() });
      await expect(cut).rejects.toThrow(/abort/);
      // One that was due, and one for the abort.
      expect(store.writes).toBeGreaterThan(1);
      const rest = await train({ regime, checkpoint: store });
      expect(files(rest)).toEqual(files(whole));
      expect(story(rest.history)).toEqual(story(whole.history));
    }
  });

  it("goes on from a checkpoint in the middle, as after a kill", async () => {
    const whole = await train();
    const kept: Uint8Array[] = [];
    await train({ checkpoint: { read: async () => null, write: async (bytes) => void kept.push(bytes) }, checkpointEvery: 3 });
    expect(kept).toHaveLength(3); // after 3, 6 and the last
    for (const bytes of kept) {
      const rest = await train({ checkpoint: new MemoryStore(bytes), checkpointEvery: 3 });
      expect(files(rest)).toEqual(files(whole));
      expect(story(rest.history)).toEqual(story(whole.history));
    }
  });

  it("goes on from a history that is longer than an argument list can be", async () => {
    const kept: Uint8Array[] = [];
    await train({ checkpoint: { read: async () => null, write: async (bytes) => void kept.push(bytes) }, checkpointEvery: 3 });
    const { state, tensors } = unpackCheckpoint(kept[0]!) as { state: { state: { steps: unknown[] } }; tensors: ReadonlyMap<string, Float32Array> };
    const steps = Array.from({ length: 200_000 }, () => state.state.steps[0]);
    const { history } = await train({ checkpoint: new MemoryStore(packCheckpoint({ state: { ...state, state: { ...state.state, steps } }, tensors })) });
    expect(history.steps).toHaveLength(200_005);
  });

  it("goes on with the same sources in another order", async () => {
    const store = new MemoryStore();
    const sources = { weak: { outside: "ignored", weight: 1 }, facts: { weight: 2 } } as const;
    const first = await train({ checkpoint: store, sources });
    const again = await train({ checkpoint: store, sources: { facts: sources.facts, weak: sources.weak } });
    expect(files(again)).toEqual(files(first));
    await refuses(train({ checkpoint: store, sources: { ...sources, facts: { weight: 1 } } }), "checkpoint-invalid", /not with the same settings/);
  });

  it("hears of an abort while it reads rows that are at hand", async () => {
    const controller = new AbortController();
    let read = 0;
    function* rows(): Generator<object> {
      while (read < 1_900_000) {
        read++;
        yield DATA.pairs[0]!.rows instanceof Array ? (DATA.pairs[0]!.rows[read % 30] as object) : {};
      }
    }
    setTimeout(() => controller.abort(new Error("enough")), 0);
    await expect(pretrain(ENCODER, { ...DATA, pairs: [{ name: "many", rows: rows() }] }, { ...OPTIONS, signal: controller.signal })).rejects.toThrow("enough");
    expect(read).toBeLessThan(1_000_000);
  });

  it("refuses the checkpoint of another run, and what is none", async () => {
    const store = new MemoryStore();
    await train({ checkpoint: store });
    await refuses(train({ checkpoint: store, seed: 2 }), "checkpoint-invalid", /another run, not with the same settings/);
    await refuses(pretrain(ENCODER, { ...DATA, pairs: [{ name: "pairs", rows: [...(DATA.pairs[0]!.rows as object[]), { a: "w1", b: "w2" }] }] }, { ...OPTIONS, checkpoint: store }), "checkpoint-invalid", /not with the same data/);
    const other = editJson(ENCODER, "config.json", { hidden_act: "relu" });
    await refuses(pretrain(other, DATA, { ...OPTIONS, checkpoint: store }), "checkpoint-invalid", /not with the same files/);
    const unfused = { build: "train-relaxed", wasm: { "train-relaxed": moduleBytes("train-fixed") } } as const;
    await refuses(pretrain(ENCODER, DATA, { ...OPTIONS, checkpoint: store, machine: unfused }), "checkpoint-invalid", /not with the same build/);
    expect((await pretrain(ENCODER, DATA, { ...OPTIONS, steps: 1, machine: unfused })).history.build).toBe("train-relaxed-unfused");
    await refuses(train({ checkpoint: new MemoryStore(ENCODER.get("model.safetensors")!) }), "checkpoint-invalid", /no state/);
    await refuses(train({ checkpoint: new MemoryStore(store.bytes!.subarray(0, 5000)) }), "checkpoint-invalid", /checkpoint/);
  });

  it("ends at once when the signal is aborted before", async () => {
    await expect(train({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  it("probes single batches at the next update of both families where these meet seldom", async () => {
    const probesOf = async (nerEvery: number, pairsEvery: number, every: number): Promise<number[]> => {
      const { history } = await train({ steps: 12, ner: { batchSize: 4, every: nerEvery }, pairs: { batchSize: 5, every: pairsEvery }, probe: { every, averageEvery: null } });
      for (const { step, ner, tc } of history.steps) expect([ner !== null, tc !== null], `${step}`).toEqual([(step - 1) % nerEvery === 0, (step - 1) % pairsEvery === 0]);
      return history.probes.map(({ step }) => step);
    };
    expect(await probesOf(1, 1, 4)).toEqual([4, 8, 12]);
    expect(await probesOf(1, 2, 4)).toEqual([5, 9]);
    expect(await probesOf(2, 3, 4)).toEqual([7]);
  });

  it.each<[number, number, number[], number[]]>([
    [2, 3, [1, 3, 5, 7], [1, 4, 7]],
    [3, 2, [1, 4, 7], [1, 3, 5, 7]],
    [1, 4, [1, 2, 3, 4, 5, 6, 7, 8], [1, 5]],
  ])("has NER at every %i. and pairs at every %i. update, from the first on, and passes over no batch", async (nerEvery, pairsEvery, ner, tc) => {
    // Rates of 0: a batch has the same loss at whatever update it comes.
    const stepsOf = async (nerAt: number, pairsAt: number): Promise<PretrainingHistory["steps"]> =>
      (await train({ ner: { batchSize: 4, every: nerAt }, pairs: { batchSize: 5, every: pairsAt }, learningRates: { backbone: 0, head: 0, adapters: 0 } })).history.steps;
    const [every, steps] = [await stepsOf(1, 1), await stepsOf(nerEvery, pairsEvery)];
    const at = (updates: number[], of: "ner" | "tc" | "accuracy"): (number | null)[] => every.map(({ step }) => (updates.includes(step) ? every[updates.indexOf(step)]![of] : null));
    expect(steps.map((step) => step.ner)).toEqual(at(ner, "ner"));
    expect(steps.map((step) => step.tc)).toEqual(at(tc, "tc"));
    expect(steps.map((step) => step.accuracy)).toEqual(at(tc, "accuracy"));
    const idle = steps.filter(({ step }) => !ner.includes(step) && !tc.includes(step));
    for (const { step, tokens, gradientNorm } of idle) expect({ step, tokens, gradientNorm }).toEqual({ step, tokens: 0, gradientNorm: 0 });
  });

  it("tells the speed of its last 20 updates, and the time left at that speed", async () => {
    let now = 0;
    const { update } = Trainer.prototype;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    vi.spyOn(Trainer.prototype, "update").mockImplementation(async function (this: Trainer, batch) {
      const result = await update.call(this, batch);
      // The first takes a minute, the others half a second.
      now += result.record.step === 1 ? 60_000 : 500;
      return result;
    });
    const seen: PretrainingProgress[] = [];
    const { history } = await train({ steps: 22, onProgress: (progress) => seen.push(progress) });
    const tokens = (from: number, to: number): number => history.steps.slice(from, to).reduce((sum, step) => sum + step.tokens, 0);
    expect(seen[0]).toMatchObject({ tokensPerSecond: tokens(0, 1) / 60, secondsLeft: 21 * 60 });
    expect(seen[1]).toMatchObject({ tokensPerSecond: tokens(0, 2) / 60.5, secondsLeft: (20 * 60.5) / 2 });
    expect(seen[20]).toMatchObject({ tokensPerSecond: tokens(1, 21) / 10, secondsLeft: 0.5 });
    expect(history.seconds).toBe(60 + 21 * 0.5);
  });

  it("makes means of one batch a family beside the probe of an update", async () => {
    const { history } = await train({ steps: 4, probe: { every: 4, averageEvery: 4, batches: 1 } });
    expect(history.probes.map(({ step, parts }) => [step, parts[0]!.ner === null])).toEqual([[4, true], [4, false]]);
  });

  it("sees the same batches in every regime", async () => {
    const tokens = async (change: Partial<PretrainingOptions>): Promise<(number | null)[]> => (await train({ ...change, learningRates: { backbone: 0, head: 0, adapters: 0 } })).history.steps.map(({ tc }) => tc);
    const losses = await tokens({});
    for (const regime of ["naive", "tc-only", "groups-only", "shared-group", "pcgrad"] as const) expect(await tokens({ regime }), regime).toEqual(losses);
  });
});

describe("what is refused", () => {
  it.each<[string, object, RegExp]>([
    ["an unknown option", { stepz: 3 }, /no option "stepz"/],
    ["an unknown setting inside", { probe: { evry: 3 } }, /probe: evry: there is no such setting/],
    ["a dtype", { dtype: "BF16" }, /dtype/],
    ["peers that are a number", { peers: 2 }, /^peers is 2; give what runPeer hands over/],
    ["a peer of no rank", { peers: { rank: 2, size: 2, sum() {} } }, /^peers is an object/],
    ["a checkpoint that cannot be written", { checkpoint: {} }, /^checkpoint is an object; give an object with read\(\) and write\(bytes\)/],
    ["a signal of words", { signal: "stop" }, /^signal is "stop"; give an AbortSignal/],
    ["writesHead in words", { writesHead: "yes" }, /^writesHead is "yes"; give true or false/],
    ["checkpoints at every 0 updates", { checkpointEvery: 0 }, /checkpointEvery/],
    ["a regime", { regime: "best" }, /regime: expected one of ner-only/],
    ["steps out of range", { steps: 0 }, /steps: expected a whole number from 1/],
    ["more probes than a checkpoint holds", { steps: 600_000, probe: { every: 6, averageEvery: 600_000 } }, /probe: 100001 probes in 600000 updates; at most 100000 are kept/],
    ["a temperature of 0", { pairs: { temperature: 0 } }, /temperature/],
    ["a target twice", { adapter: { targets: ["query", "query"] } }, /targets: give one or more/],
    ["more layers than there are", { adapter: { layers: 4 } }, /adapter.layers is 4 and the encoder has 3/],
    ["passes that hold no text", { passRows: 8 }, /passRows is 8/],
    ["a source without rows", { sources: { gild: {} } }, /"gild" is set, and no row/],
  ])("%s", async (_, change, says) => {
    await refuses(pretrain(ENCODER, DATA, { ...OPTIONS, ...change }), "argument-invalid", says);
  });

  it("options that are none", async () => {
    await refuses(pretrain(ENCODER, DATA, null as never), "argument-invalid", /the options are null; give an object/);
  });

  it.each<[string, unknown, RegExp]>([
    ["no data", undefined, /^the data is nothing; give the data as \{ ner, pairs \}/],
    ["another family", { ner: [], tc: [] }, /^the data has no "tc", only ner and pairs/],
    ["rows without a set", { ner: [{ tokens: ["a"], tags: ["O"] }] }, /^the name of ner\[0\] is nothing/],
    ["a set that is no list", { pairs: { name: "pairs", rows: [] } }, /^pairs is an object/],
    ["a set of nothing", { pairs: [null] }, /^the name of pairs\[0\] is nothing/],
    ["rows that cannot be walked", { ner: [{ name: "gold", rows: 3 }] }, /^rows of "gold" must be a list of rows/],
    ["a nameRow that is none", { ner: [{ name: "gold", rows: [], nameRow: "row" }] }, /^nameRow of "gold" is "row"/],
  ])("%s", async (_, data, says) => refuses(pretrain(ENCODER, data as never, OPTIONS), "argument-invalid", says));

  it("no rows of a family that is not trained: they may be left out", async () => {
    const { sources: _, ...options } = OPTIONS;
    const { history } = await pretrain(ENCODER, { pairs: DATA.pairs }, { ...options, regime: "tc-only", steps: 1, onProgress: null as never });
    expect(history.sources.map(({ name }) => name)).toEqual(["facts"]);
  });

  it("a converted encoder, one without a tokenizer, and one of another size", async () => {
    const without = new Map(ENCODER);
    without.delete("tokenizer.json");
    await refuses(pretrain(without, DATA, OPTIONS), "source-missing", /tokenizer\.json/);
    const page = new TextEncoder().encode("<!doctype html><title>Sign in</title>");
    await refuses(pretrain(new Map(ENCODER).set("tokenizer.json", page), DATA, OPTIONS), "not-a-model", /tokenizer\.json/);
    await refuses(pretrain(new Map(ENCODER).set("rootstock.json", new Uint8Array()), DATA, OPTIONS), "argument-invalid", /converted encoder/);
    await refuses(pretrain(editJson(ENCODER, "config.json", { hidden_size: 45 }), DATA, OPTIONS), "tensor-shape", /model\.safetensors/);
  });

  it("fewer rows than a batch", async () => {
    await refuses(pretrain(ENCODER, DATA, { ...OPTIONS, ner: { batchSize: 64 } }), "data-invalid", /40 sentences make no batch of 64/);
    await refuses(pretrain(ENCODER, { ...DATA, pairs: [] }, OPTIONS), "data-invalid", /0 pairs make no batch/);
    // Without options batches are of the default size.
    await refuses(pretrain(ENCODER, DATA), "data-invalid", /30 pairs make no batch of 32/);
    // A family that a regime leaves out needs no rows.
    await pretrain(ENCODER, { ...DATA, pairs: [] }, { ...OPTIONS, regime: "ner-only", steps: 1 });
  });
});

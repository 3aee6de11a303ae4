import { describe, expect, it } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../src/pretrain/checkpoint.ts";
import type { Trainer } from "../../src/pretrain/trainer.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { BATCH, gradientsOf, startTrainer, valuesOf } from "./golden-trainer.ts";

/** Groups of the tensors that an update changed. */
async function changedBy(trainer: Trainer, batch: Parameters<Trainer["update"]>[0]): Promise<string[]> {
  const before = valuesOf(trainer);
  await trainer.update(batch);
  const changed = [...valuesOf(trainer)].filter(([name, values]) => values.some((value, i) => value !== before.get(name)![i]));
  return [...new Set(changed.map(([name]) => (name.includes("/classifier.") ? "head" : name.split("/")[0]!)))].sort();
}

const NER = { ner: BATCH.ner, tc: null };
const TC = { ner: null, tc: BATCH.tc };

describe("what an update changes", () => {
  it.each([
    ["task-primary", NER, ["backbone", "head", "ner"]],
    ["task-primary", TC, ["backbone", "tc"]],
    ["task-primary", BATCH, ["backbone", "head", "ner", "tc"]],
    ["groups-only", NER, ["head", "ner"]],
    ["groups-only", TC, ["tc"]],
    ["groups-only", BATCH, ["head", "ner", "tc"]],
    ["naive", BATCH, ["backbone", "head"]],
    ["pcgrad", BATCH, ["backbone", "head"]],
    ["ner-only", NER, ["backbone", "head"]],
    ["tc-only", TC, ["backbone"]],
    ["shared-group", NER, ["backbone", "head", "shared"]],
    ["shared-group", TC, ["backbone", "shared"]],
  ])("%s, update %#", async (regime, batch, groups) => {
    const trainer = await startTrainer({ regime });
    expect(await changedBy(trainer, batch)).toEqual(groups);
    // Once more, when AdamW's means are no longer 0.
    expect(await changedBy(trainer, batch)).toEqual(groups);
  });

  it("a group keeps its bits while the other family alone goes on, and has a step count of its own", async () => {
    const trainer = await startTrainer();
    await trainer.update(BATCH);
    for (let i = 0; i < 3; i++) expect(await changedBy(trainer, TC)).toEqual(["backbone", "tc"]);
    expect([...trainer.counts]).toEqual([["backbone", 4], ["ner", 1], ["tc", 4]]);
  });

  it("a batch without a label changes nothing of NER", async () => {
    const empty = BATCH.ner.map((text) => ({ ...text, read: new Int32Array(0), labels: new Int32Array(0) }));
    const trainer = await startTrainer();
    expect(await changedBy(trainer, { ner: empty, tc: null })).toEqual([]);
    expect((await trainer.update({ ner: [...empty, ...BATCH.ner], tc: null })).record.ner).toBeCloseTo((await (await startTrainer()).update(NER)).record.ner!, 6);
  });
});

describe("learning rates", () => {
  /** The most that a value of each kind was moved by one update, which is AdamW's first. */
  async function moves(learningRates: object): Promise<Record<string, number>> {
    const trainer = await startTrainer({ learningRates, weightDecay: 0 });
    const before = valuesOf(trainer);
    await trainer.update(BATCH);
    const most: Record<string, number> = {};
    for (const [name, values] of valuesOf(trainer)) {
      const kind = name.startsWith("backbone/") ? "backbone" : name.includes("/classifier.") ? "head" : "adapters";
      most[kind] = values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - before.get(name)![i]!)), most[kind] ?? 0);
    }
    return most;
  }

  it("are each of its own tensors: AdamW's first update moves a value by its rate", async () => {
    const learningRates = { backbone: 1e-3, head: 4e-3, adapters: 2e-2 };
    const most = await moves(learningRates);
    expect(Object.keys(most).sort()).toEqual(["adapters", "backbone", "head"]);
    for (const [kind, rate] of Object.entries(learningRates)) expect(most[kind]! / rate, kind).toBeCloseTo(1, 3);
  });

  it.each(["backbone", "head", "adapters"])("of 0 but for %s: nothing else moves", async (kind) => {
    const moved = Object.entries(await moves({ backbone: 0, head: 0, adapters: 0, [kind]: 1e-3 })).filter(([, most]) => most > 0);
    expect(moved.map(([name]) => name)).toEqual([kind]);
  });
});

it("weights decay in every tensor, biases and LayerNorms included", async () => {
  const before = valuesOf(await startTrainer());
  const after = async (weightDecay: number): Promise<Map<string, Float32Array>> => {
    const trainer = await startTrainer({ weightDecay });
    await trainer.update(BATCH);
    return valuesOf(trainer);
  };
  const [kept, decayed] = [await after(0), await after(0.5)];
  for (const [name, values] of before) {
    const gap = values.reduce((most, value, i) => Math.max(most, Math.abs(kept.get(name)![i]! - decayed.get(name)![i]! - 0.5 * 1e-3 * value)), 0);
    expect(gap, name).toBeLessThan(2 ** -22); // two roundings of values below 2
  }
});

it("gradients that are no numbers change nothing, and end the training when they stay", async () => {
  const trainer = await startTrainer();
  const { machine, plan } = trainer;
  machine.memory.f32[plan.model.parameters.get("backbone/embeddings.LayerNorm.bias").value >>> 2] = NaN;
  const before = valuesOf(trainer);
  for (let i = 0; i < 9; i++) expect((await trainer.update(BATCH)).record).toMatchObject({ step: i + 1, gradientNorm: null });
  expect(valuesOf(trainer)).toEqual(before);
  await expect(trainer.update(BATCH)).rejects.toMatchObject({ code: "training-diverged" });
});

it("a checkpoint knows how many updates in a row changed nothing", async () => {
  const identity = { settings: "", encoder: "", files: "", data: "", build: "", peers: "" };
  const trainer = await startTrainer();
  for (const [norms, wanted] of [[[1, null, null], 2], [[null, 1], 0], [[null, null], 2], [[], 0]] as const) {
    const steps = norms.map((gradientNorm, i) => ({ step: i + 1, ner: 1, tc: 1, accuracy: 1, tokens: 1, gradientNorm, learningRate: 1 }));
    readCheckpoint(trainer, writeCheckpoint(trainer, identity, { steps, probes: [], warnings: [], seconds: 0, tokens: 0 } as never), identity);
    expect(trainer.notFinite).toBe(wanted);
  }
});

describe("gradients of the regimes", () => {
  const gradients = async (change: object, batch: Parameters<Trainer["update"]>[0] = BATCH): Promise<Map<string, Float32Array>> => {
    const trainer = await startTrainer({ clip: null, ...change });
    await trainer.update(batch);
    return gradientsOf(trainer);
  };
  const close = (got: Map<string, Float32Array>, want: (name: string) => Float32Array, names: string[]): void => {
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) if (!name.endsWith("key.bias")) expect(relativeGap(got.get(name)!, want(name)), name).toBeLessThan(1e-5);
  };
  const sum = (a: Float32Array, b: Float32Array, x = 1, y = 1): Float32Array => a.map((value, i) => x * value + y * b[i]!);
  const backboneOf = (of: Map<string, Float32Array>): string[] => [...of.keys()].filter((name) => name.startsWith("backbone/"));

  it("naive mixing adds the weighted gradients of both losses; groups get their own alone", async () => {
    const [ner, tc] = [await gradients({ regime: "naive" }, NER), await gradients({ regime: "naive", lossWeights: { tc: 0.5 } }, TC)];
    const both = await gradients({ regime: "naive" });
    close(both, (name) => sum(ner.get(name)!, tc.get(name)!), backboneOf(both));
    const heavy = await gradients({ regime: "naive", lossWeights: { ner: 3, tc: 0.5 } });
    close(heavy, (name) => sum(ner.get(name)!, tc.get(name)!, 3), backboneOf(heavy));
    const [own, alone] = [await gradients({}), await gradients({}, NER)];
    close(own, (name) => alone.get(name)!, [...own.keys()].filter((name) => name.startsWith("ner/")));
  });

  it("a group of B = 0 changes no gradient of the backbone: naive and task-primary begin alike", async () => {
    const [naive, primary] = await Promise.all(["naive", "task-primary"].map(async (regime) => {
      const trainer = await startTrainer({ regime, clip: null });
      for (const [name, parameter] of [...trainer.plan.model.parameters].map((each) => [each.name, each] as const)) {
        if (name.endsWith("lora_B.weight")) trainer.machine.memory.floats(parameter.value, parameter.count).fill(0);
      }
      trainer.refresh();
      await trainer.update(BATCH);
      return gradientsOf(trainer);
    }));
    for (const name of backboneOf(naive!)) expect(primary!.get(name), name).toEqual(naive!.get(name));
  });

  it("a frozen encoder gives the groups the gradients that a trained one does, and its values stay", async () => {
    const [frozen, trained] = [await gradients({ regime: "groups-only" }), await gradients({})];
    for (const [name, values] of frozen) expect(relativeGap(values, trained.get(name)!), name).toBeLessThan(1e-6);
    expect(backboneOf(frozen)).toEqual([]);
  });

  it("one group for both families gets the sum of both", async () => {
    const [both, ner, tc] = [await gradients({ regime: "shared-group" }), await gradients({ regime: "shared-group" }, NER), await gradients({ regime: "shared-group" }, TC)];
    close(both, (name) => sum(ner.get(name)!, tc.get(name)!), [...both.keys()].filter((name) => name.startsWith("shared/")));
  });

  it.each([1, 2, 3])("groups lie on the last %i layers", async (layers) => {
    const got = await gradients({ adapter: { layers, rank: 4, targets: ["query", "value"] } });
    const found = new Set([...got.keys()].filter((name) => name.startsWith("tc/")).map((name) => Number(/layer\.(\d)/.exec(name)![1])));
    expect([...found]).toEqual([1, 2, 3].slice(3 - layers));
  });

  describe("PCGrad", () => {
    /** arXiv 2001.06782, algorithm 1, for two tasks, in float64. */
    function joined(names: string[], n: Map<string, Float32Array>, t: Map<string, Float32Array>): { isConflict: boolean; of: (name: string) => Float32Array } {
      const dot = (x: Map<string, Float32Array>, y: Map<string, Float32Array>): number => names.reduce((total, name) => total + x.get(name)!.reduce((s, value, i) => s + value * y.get(name)![i]!, 0), 0);
      const [nt, nn, tt] = [dot(n, t), dot(n, n), dot(t, t)];
      const project = (g: number, h: number, length: number): number => (nt < 0 ? g - (nt / length) * h : g);
      return { isConflict: nt < 0, of: (name) => n.get(name)!.map((g, i) => project(g, t.get(name)![i]!, tt) + project(t.get(name)![i]!, g, nn)) };
    }

    it.each([[0, false], [1, true], [2, false]])("labels shifted by %i, a conflict: %s", async (shift, isConflict) => {
      const ner = BATCH.ner.map((text) => ({ ...text, labels: text.labels.map((label) => (label + shift) % 7) }));
      const change = { clip: null, lossWeights: { ner: 1, tc: 0.5 } };
      const [n, t] = [await gradients({ ...change, regime: "naive" }, { ner, tc: null }), await gradients({ ...change, regime: "naive" }, TC)];
      const names = backboneOf(n);
      const want = joined(names, n, t);
      expect(want.isConflict).toBe(isConflict);
      const got = await gradients({ ...change, regime: "pcgrad", probe: { every: 1 } }, { ner, tc: BATCH.tc });
      close(got, want.of, names);
      // The head is NER's alone.
      close(got, (name) => n.get(name)!, ["ner/classifier.weight", "ner/classifier.bias"]);
    });
  });
});

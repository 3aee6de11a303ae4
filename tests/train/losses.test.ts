import { beforeEach, describe, expect, it } from "vitest";
import { copyGradients } from "../../src/train/adamw.ts";
import { contrastiveLoss, nearestPartners, poolBackward, poolForward } from "../../src/train/contrastive.ts";
import { crossEntropyLoss, IGNORED, labelTotal, sigmoidLoss, sumOf, type LossPlace } from "../../src/train/losses.ts";
import { zeroGradients } from "../../src/train/parameters.ts";
import { backward, beginPass, forward } from "../../src/train/pass.ts";
import type { Address } from "../../src/wasm/kernels.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { config, given, startFixture, tcStep, type Fixture } from "./fixture.ts";

let fixture: Fixture;
let place: LossPlace;
let logits: Address;

beforeEach(async () => {
  fixture = await startFixture();
  const head = fixture.model.groups.get("ner")!.head!;
  place = head.loss;
  logits = head.logits;
});

const Z = [[2, -1, 0.5, 0, 1, -2, 3], [0, 0, 0, 0, 0, 0, 0], [-1, 4, 1, 2, 0, 1, 1]];

/** Writes the logits and reads their gradient. */
function withLogits<T>(run: () => T): { result: T; gradient: Float32Array } {
  const { memory } = fixture.machine;
  memory.floats(logits, 21).set(Z.flat());
  return { result: run(), gradient: memory.floats(logits, 21).slice() };
}

const softmax = (z: number[]): number[] => {
  const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
  return z.map((value) => Math.exp(value) / total);
};

describe("cross-entropy", () => {
  it("ignores labels below 0, and divides by the labels that count", () => {
    const labels = [6, IGNORED, 1];
    const scale = 1 / labelTotal(labels, {});
    expect(scale).toBe(0.5);
    const { result, gradient } = withLogits(() => crossEntropyLoss(fixture.machine, place, logits, labels, scale));
    expect(result[1]).toBe(0);
    expect(result[0]).toBeCloseTo(-Math.log(softmax(Z[0]!)[6]!), 5);
    expect(relativeGap(gradient.subarray(0, 7), softmax(Z[0]!).map((p, c) => (p - (c === 6 ? 1 : 0)) / 2))).toBeLessThan(1e-6);
    expect([...gradient.subarray(7, 14)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it("weights classes by their labels, as PyTorch's mean does", () => {
    const weights = Float32Array.of(1, 3, 1, 1, 1, 1, 0.5);
    expect(labelTotal([6, IGNORED, 1, 1], { weights })).toBe(6.5);
    const { result } = withLogits(() => crossEntropyLoss(fixture.machine, place, logits, [6, 0, 1], 1, { weights }));
    expect(result[0]).toBeCloseTo(-0.5 * Math.log(softmax(Z[0]!)[6]!), 5);
    expect(result[2]).toBeCloseTo(-3 * Math.log(softmax(Z[2]!)[1]!), 5);
  });

  it("leaves classes out that are not allowed", () => {
    const allowed = Uint8Array.of(1, 1, 0, 0, 0, 0, 1);
    const { result, gradient } = withLogits(() => crossEntropyLoss(fixture.machine, place, logits, [0, 1, 6], 1, { allowed }));
    expect(result[1]).toBeCloseTo(Math.log(3), 6);
    expect([...gradient.subarray(2, 6)]).toEqual([0, 0, 0, 0]);
  });

  it("smooths: an even share of the target for every class", () => {
    const { result, gradient } = withLogits(() => crossEntropyLoss(fixture.machine, place, logits, [6, 1, 1], 1, { smoothing: 0.1 }));
    const p = softmax(Z[0]!);
    const target = p.map((_, c) => 0.1 / 7 + (c === 6 ? 0.9 : 0));
    expect(result[0]).toBeCloseTo(-target.reduce((sum, t, c) => sum + t * Math.log(p[c]!), 0), 5);
    expect(relativeGap(gradient.subarray(0, 7), p.map((value, c) => value - target[c]!))).toBeLessThan(1e-6);
  });

  it("refuses a label that is no class, or not allowed", () => {
    const invalid = expect.objectContaining({ code: "argument-invalid" }) as unknown as Error;
    expect(() => crossEntropyLoss(fixture.machine, place, logits, [7], 1)).toThrow(invalid);
    expect(() => crossEntropyLoss(fixture.machine, place, logits, [2], 1, { allowed: Uint8Array.of(1, 1, 0, 1, 1, 1, 1) })).toThrow(invalid);
  });

  it("over several labels at once: a sigmoid for each class", () => {
    const targets = Float32Array.from({ length: 21 }, (_, i) => i % 2);
    const weights = Float32Array.of(1, 2, 1, 2, 1, 2, 1);
    const { result, gradient } = withLogits(() => sigmoidLoss(fixture.machine, place, logits, targets, 1 / 21, { weights }));
    const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
    const z = Z.flat();
    const loss = z.reduce((sum, value, i) => sum - (i % 2 === 1 ? weights[i % 7]! * Math.log(sigmoid(value)) : Math.log(1 - sigmoid(value))), 0);
    expect(sumOf(result)).toBeCloseTo(loss, 4);
    expect(relativeGap(gradient, z.map((value, i) => (i % 2 === 1 ? -weights[i % 7]! * (1 - sigmoid(value)) : sigmoid(value)) / 21))).toBeLessThan(1e-6);
  });
});

describe("a batch of pairs", () => {
  it("in parts, forward twice, gives the gradients of the whole (GradCache, arXiv 2101.06983)", () => {
    const { machine: m, model, pairs } = fixture;
    const { a, b, temperature } = given.tc_batch;
    zeroGradients(m, model.parameters);
    const loss = tcStep(fixture);
    const whole = copyGradients(m, model.parameters);

    zeroGradients(m, model.parameters);
    const texts = [...a, ...b].map((ids) => ({ ids }));
    const group = model.groups.get("tc")!;
    const parts = [0, 3, 6, 9].map((first) => ({ first, texts: texts.slice(first, first + 3) }));
    for (const part of parts) {
      const pass = beginPass(m, model, part.texts, group, null);
      poolForward(m, pairs, pass.batch, forward(m, pass), part.first);
    }
    const losses = contrastiveLoss(m, pairs, a.length, 1 / a.length, { temperature, direction: "first" });
    for (const part of parts) {
      const pass = beginPass(m, model, part.texts, group, null);
      forward(m, pass);
      poolBackward(m, pairs, pass.batch, model.work.dState, part.first);
      backward(m, pass);
    }
    expect(sumOf(losses) / a.length).toBeCloseTo(loss, 6);
    for (const [name, gradient] of copyGradients(m, model.parameters)) {
      if (!name.endsWith("key.bias")) expect(relativeGap(gradient, whole.get(name)!), name).toBeLessThan(2e-5);
    }
  });

  it("leaves out negatives that are no negatives", () => {
    const { machine: m, pairs } = fixture;
    m.memory.floats(pairs.units, 4 * config.hidden).fill(0);
    for (let text = 0; text < 4; text++) m.memory.f32[(pairs.units >>> 2) + text * config.hidden] = 1; // all texts are equal
    expect(contrastiveLoss(m, pairs, 2, 1, { temperature: 0.05 })[0]).toBeCloseTo(Math.log(2), 6);
    expect(contrastiveLoss(m, pairs, 2, 1, { temperature: 0.05, leftOut: Uint8Array.of(1, 1, 1, 1) })[0]).toBeCloseTo(0, 6);
  });

  /** Vectors of length 1 in the plane: first texts, then their partners. */
  function putUnits(vectors: readonly (readonly [number, number])[]): void {
    const { machine: { memory }, pairs } = fixture;
    const units = memory.floats(pairs.units, vectors.length * config.hidden).fill(0);
    for (const [i, vector] of vectors.entries()) units.set(vector, i * config.hidden);
  }

  const TEXTS = [[1, 0], [0, 1], [0.6, 0.8]] as const;
  const PARTNERS = [[1, 0], [0.8, 0.6], [1, 0]] as const;

  it("has found a text's partner where no other is nearer: one as near takes nothing away, and one that is left out counts for nothing", () => {
    const { machine: m, pairs } = fixture;
    putUnits([...TEXTS, ...PARTNERS]);
    // Cosines: 1 .8 1 (a tie with the third), 0 .6 0, .6 .96 .6 (the second is nearer).
    const leftOut = (row: number, column: number): Uint8Array => Uint8Array.from({ length: 9 }, (_, i) => Number(i === row * 3 + column));
    expect(nearestPartners(m, pairs, 3)).toBe(2);
    expect(nearestPartners(m, pairs, 3, leftOut(2, 1))).toBe(3);
    expect(nearestPartners(m, pairs, 3, leftOut(1, 2))).toBe(2);
    putUnits([...TEXTS.slice(0, 2), ...PARTNERS.slice(1)]);
    // Cosines: .8 1, .6 0.
    expect(nearestPartners(m, pairs, 2)).toBe(0);
  });

  it("in both directions has half the sum of each: losses and gradients, with what is left out", () => {
    const { machine: m, pairs } = fixture;
    const half = 3 * config.hidden;
    const run = (vectors: readonly (readonly [number, number])[], leftOut: readonly number[], options: { direction?: "first" } = {}) => {
      putUnits(vectors);
      const losses = contrastiveLoss(m, pairs, 3, 0.25, { temperature: 0.5, leftOut: Uint8Array.from(leftOut), ...options });
      const gradients = m.memory.floats(pairs.dUnits, 2 * half);
      return { losses, texts: gradients.slice(0, half), partners: gradients.slice(half) };
    };
    const there = run([...TEXTS, ...PARTNERS], [0, 0, 1, 0, 0, 0, 0, 0, 0], { direction: "first" });
    const back = run([...PARTNERS, ...TEXTS], [0, 0, 0, 0, 0, 0, 1, 0, 0], { direction: "first" });
    const both = run([...TEXTS, ...PARTNERS], [0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const mean = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => (value + b[i]!) / 2);
    expect(relativeGap(there.losses, back.losses)).toBeGreaterThan(0.1);
    expect(there.losses[0]).toBeCloseTo(Math.log(Math.exp(2) + Math.exp(1.6)) - 2, 6);
    expect(relativeGap(both.losses, mean(there.losses, back.losses))).toBeLessThan(1e-6);
    expect(relativeGap(both.texts, mean(there.texts, back.partners))).toBeLessThan(1e-6);
    expect(relativeGap(both.partners, mean(there.partners, back.texts))).toBeLessThan(1e-6);
  });
});

describe("texts of a pass", () => {
  it.each([
    ["more tokens than there is room for", "argument-invalid", [Array.from({ length: 50 }, () => 1), Array.from({ length: 50 }, () => 1)]],
    ["an id outside the vocabulary", "ids-invalid", [[211]]],
    ["an empty text", "ids-invalid", [[]]],
    ["a text longer than the encoder reads", "text-too-long", [Array.from({ length: 65 }, () => 1)]],
  ])("%s: %s", (_, code, texts) => {
    expect(() => beginPass(fixture.machine, fixture.model, texts.map((ids) => ({ ids })), null, null)).toThrow(expect.objectContaining({ code }));
  });

  it("a state where ids are called for: argument-invalid", () => {
    expect(() => beginPass(fixture.machine, fixture.model, [{ state: new Float32Array(config.hidden) }], null, null)).toThrow(expect.objectContaining({ code: "argument-invalid" }));
  });
});

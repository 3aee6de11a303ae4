import { describe, expect, it } from "vitest";
import { adamWStep, clipFactor, gradientNorm } from "../../src/train/adamw.ts";
import { planFullModel } from "../../src/train/full-model.ts";
import type { GroupOptions } from "../../src/train/group.ts";
import { startTraining } from "../../src/train/machine.ts";
import { Parameters, readParameter, writeParameter, zeroGradients, groupOf } from "../../src/train/parameters.ts";
import { constantSchedule, cosineSchedule, linearSchedule, scheduleOf } from "../../src/train/schedule.ts";
import { config } from "./fixture.ts";

async function start() {
  const { machine, plan } = await startTraining((layout) => {
    const parameters = new Parameters(layout);
    return { parameters, a: parameters.add("backbone/a.weight", [2, 3]), b: parameters.add("task/b.bias", [5]) };
  });
  for (const parameter of plan.parameters) {
    writeParameter(machine, parameter, "value", new Float32Array(parameter.count).fill(2));
    writeParameter(machine, parameter, "gradient", Float32Array.from({ length: parameter.count }, (_, i) => i - 1));
  }
  return { machine, ...plan };
}

describe("parameters", () => {
  it("have a name, a group, and four places of their own", async () => {
    const { machine, parameters, a, b } = await start();
    expect([...parameters].map(({ name, shape, count }) => [name, shape, count])).toEqual([["backbone/a.weight", [2, 3], 6], ["task/b.bias", [5], 5]]);
    expect([groupOf(a), groupOf(b)]).toEqual(["backbone", "task"]);
    expect(parameters.get("task/b.bias")).toBe(b);
    zeroGradients(machine, [b]);
    expect([...readParameter(machine, b, "gradient")]).toEqual([0, 0, 0, 0, 0]);
    expect([...readParameter(machine, a, "gradient")]).toEqual([-1, 0, 1, 2, 3, 4]);
  });

  it("refuse a name that is taken, one that is unknown, and values of another size", async () => {
    const { machine, parameters, a } = await start();
    expect(() => parameters.add("task/b.bias", [1])).toThrow(expect.objectContaining({ code: "argument-invalid" }));
    expect(() => parameters.get("task/c")).toThrow(expect.objectContaining({ code: "tensor-missing" }));
    expect(() => writeParameter(machine, a, "value", new Float32Array(5))).toThrow(expect.objectContaining({ code: "tensor-shape" }));
  });
});

describe("AdamW", () => {
  it("takes a rate and a decay for each parameter; the first step is the rate in the gradient's direction", async () => {
    const { machine, parameters, a, b } = await start();
    adamWStep(machine, parameters, 1, { learningRate: (parameter) => (parameter === a ? 0.1 : 0.01), weightDecay: 0.5, decays: (parameter) => parameter === a }, 1);
    const signs = [-1, 0, 1, 1, 1, 1];
    for (const [i, value] of readParameter(machine, a, "value").entries()) expect(value).toBeCloseTo(2 * (1 - 0.1 * 0.5) - 0.1 * signs[i]!, 5);
    for (const [i, value] of readParameter(machine, b, "value").entries()) expect(value).toBeCloseTo(2 - 0.01 * signs[i]!, 5);
  });

  it("lets the mean of a parameter without gradients fade to 0, none of it denormal on the way, and the value rest", async () => {
    const { machine, a } = await start();
    const [gradient, mean] = [machine.memory.floats(a.gradient, a.count), machine.memory.floats(a.momentum, a.count)];
    for (let step = 1; step <= 900; step++) {
      adamWStep(machine, [a], step, { learningRate: 0.1, weightDecay: 0 }, 1);
      gradient.fill(0);
      expect(mean.every((value) => value === 0 || Math.abs(value) >= 2 ** -126), `update ${step}`).toBe(true);
    }
    expect([...mean]).toEqual([0, 0, 0, 0, 0, 0]);
    const rested = readParameter(machine, a, "value");
    adamWStep(machine, [a], 901, { learningRate: 0.1, weightDecay: 0 }, 1);
    expect(readParameter(machine, a, "value")).toEqual(rested);
  });

  it("measures all gradients together and says by what they are clipped", async () => {
    const { machine, parameters, a } = await start();
    const norm = gradientNorm(machine, parameters);
    expect(norm).toBeCloseTo(Math.sqrt(1 + 1 + 4 + 9 + 16 + 1 + 1 + 4 + 9), 12);
    expect(clipFactor(norm, 1)).toBeCloseTo(1 / (norm + 1e-6), 12);
    expect(clipFactor(0.5, 1)).toBe(1);
    machine.memory.f32[a.gradient >>> 2] = NaN;
    expect(gradientNorm(machine, parameters)).toBeNaN();
  });
});

describe("schedules", () => {
  it("rise over the warm-up and fall to 0, evenly or along a cosine", () => {
    const [linear, cosine, constant] = [linearSchedule({ steps: 10, warmup: 2 }), cosineSchedule({ steps: 10, warmup: 2 }), constantSchedule({ warmup: 2 })];
    expect([0, 1, 2, 6, 10, 11].map(linear)).toEqual([0, 0.5, 1, 0.5, 0, 0]);
    expect([0, 1, 2].map(cosine)).toEqual([0, 0.5, 1]);
    expect(cosine(6)).toBeCloseTo(0.5, 12);
    expect(cosine(4)).toBeCloseTo(0.5 + Math.SQRT1_2 / 2, 12);
    expect([10, 12].map(cosine).every((share) => Math.abs(share) < 1e-12)).toBe(true);
    const long = cosineSchedule({ steps: 1000 });
    for (let step = 0; step <= 1000; step++) expect(Math.abs(long(step) - (1 + Math.cos((Math.PI * step) / 1000)) / 2)).toBeLessThan(4e-16);
    expect([0, 1, 2, 50].map(constant)).toEqual([0, 0.5, 1, 1]);
    expect([linearSchedule({ steps: 1 })(0), constantSchedule({})(0), cosineSchedule({ steps: 0 })(0)]).toEqual([1, 1, 1]);
  });

  it("are chosen by name, with a warm-up in whole updates", () => {
    const of = (name: "linear" | "cosine" | "constant"): number[] => [0, 1, 2, 6].map(scheduleOf(name, 0.17, 10));
    expect([of("linear"), of("constant")]).toEqual([[0, 0.5, 1, 0.5], [0, 0.5, 1, 1]]);
    expect(of("cosine")).toEqual([0, 1, 2, 6].map(cosineSchedule({ steps: 10, warmup: 2 })));
  });
});

describe("an adapter to be trained", () => {
  const good: GroupOptions = { name: "task", layers: [2], targets: ["query"], kind: "lora", head: { classes: 2, through: "token", name: "classifier" } };
  it.each<[string, Partial<GroupOptions>]>([
    ["a layer that is not there", { layers: [4] }],
    ["a rank of 0", { rank: 0 }],
    ["a name with a slash", { name: "a/b" }],
    ["a head without classes", { head: { classes: 0, through: "token", name: "classifier" } }],
    ["(IA)³ with biases", { kind: "ia3", bias: "targets" }],
  ])("is refused with %s: argument-invalid", async (_, change) => {
    await expect(startTraining((layout) => planFullModel(layout, config, { groups: [{ ...good, ...change }], rows: 8 }))).rejects.toMatchObject({ code: "argument-invalid" });
  });
});

it("adapters on a layer that is run many times are refused: adapter-unsupported", async () => {
  const albert = { ...config, storedLayers: 1, family: "albert" as const };
  const group: GroupOptions = { name: "task", layers: [0], targets: ["query"], kind: "lora", head: null };
  await expect(startTraining((layout) => planFullModel(layout, albert, { groups: [group], rows: 8 }))).rejects.toMatchObject({ code: "adapter-unsupported" });
});

describe("the machine", () => {
  it("refuses a training of more than 2 GiB", async () => {
    await expect(startTraining((layout) => layout.reserve(2 ** 31))).rejects.toMatchObject({ code: "limit-exceeded" });
  });

  it("says which binary does not fit", async () => {
    const wasm = { "train-fixed": new Uint8Array([0, 97, 115, 109, 1, 0, 0, 1]) };
    await expect(startTraining((layout) => layout.reserve(4), { build: "train-fixed", wasm })).rejects.toMatchObject({ code: "engine-fault" });
  });
});

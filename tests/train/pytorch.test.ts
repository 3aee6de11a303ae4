import { beforeEach, describe, expect, it } from "vitest";
import { adamWStep, clipFactor, copyGradients, gradientNorm } from "../../src/train/adamw.ts";
import { groupOf, readParameter, zeroGradients } from "../../src/train/parameters.ts";
import { refresh } from "../../src/train/refresh.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { trainBuilds } from "../kernels/instance.ts";
import { FOLDER, given, nerStep, startFixture, tcStep, type Fixture } from "./fixture.ts";

/**
 * A bias of a key adds the same to all scores of a query, which softmax does not see: its gradient is 0, and what either side
 * has there is rounding (1e-8 beside gradients of up to 20). AdamW divides even that by its own size, so these biases
 * wander, in PyTorch as here, without any effect.
 */
const isKeyBias = (name: string): boolean => name.endsWith("self.key.bias");

const STEPS = { ner: nerStep, tc: tcStep } as const;

function largestGap(got: Float32Array, want: Float32Array): number {
  return got.reduce((gap, value, i) => Math.max(gap, Math.abs(value - want[i]!)), 0);
}

/** Cosine between two losses' gradients over the tensors of `names`. */
function gradientCosine(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>, names: readonly string[]): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (const name of names) {
    const [x, y] = [a.get(name)!, b.get(name)!];
    for (let i = 0; i < x.length; i++) {
      dot += x[i]! * y[i]!;
      aa += x[i]! * x[i]!;
      bb += y[i]! * y[i]!;
    }
  }
  return dot / Math.sqrt(aa * bb);
}

describe.each(trainBuilds)("a tiny BERT with two LoRA groups against PyTorch, %s", (build) => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture(build);
  });

  function gradientsOf(which: "ner" | "tc"): Map<string, Float32Array> {
    const { machine, model } = fixture;
    zeroGradients(machine, model.parameters);
    STEPS[which](fixture);
    return copyGradients(machine, model.parameters);
  }

  it("trains exactly the tensors of the case", () => {
    expect([...fixture.model.parameters].map(({ name }) => name).sort()).toEqual([...readTensors(`${FOLDER}/initial.safetensors`).keys()].sort());
  });

  it.each(["ner", "tc"] as const)("%s: loss within 1e-5, every gradient within 1e-4 of its tensor's largest", (which) => {
    expect(Math.abs(STEPS[which](fixture) - given.loss[which])).toBeLessThan(1e-5);
    const want = readTensors(`${FOLDER}/grad-${which}.safetensors`);
    const got = gradientsOf(which);
    const largest = Math.max(...[...want.values()].flatMap((values) => [...values].map(Math.abs)));
    for (const [name, values] of want) {
      if (isKeyBias(name)) expect(largestGap(got.get(name)!, values), name).toBeLessThan(1e-6 * largest);
      else if (values.some((value) => value !== 0)) expect(largestGap(got.get(name)!, values) / Math.max(...values.map(Math.abs)), name).toBeLessThan(1e-4);
      else expect(got.get(name)!.every((value) => value === 0), `${name} is 0`).toBe(true);
    }
  });

  it.each(["ner", "tc"] as const)("%s leaves the other family's gradients at zero and reaches all of its own", (which) => {
    for (const parameter of fixture.model.parameters) {
      const group = groupOf(parameter);
      const gradient = gradientsOf(which).get(parameter.name)!;
      if (group === which) expect(gradient.some((value) => value !== 0), parameter.name).toBe(true);
      else if (group !== "backbone") expect(gradient.every((value) => value === 0), parameter.name).toBe(true);
    }
  });

  it("the families' gradient cosines over the backbone are within 1e-3, all together and by layer", () => {
    const [ner, tc] = [gradientsOf("ner"), gradientsOf("tc")];
    const names = [...ner.keys()].filter((name) => name.startsWith("backbone/"));
    const { all, per_layer } = given.backbone_gradient_cosine;
    expect(Math.abs(gradientCosine(ner, tc, names) - all)).toBeLessThan(1e-3);
    for (const [layer, cosine] of Object.entries(per_layer)) {
      const own = names.filter((name) => name.startsWith(`backbone/encoder.layer.${layer}.`));
      expect(Math.abs(gradientCosine(ner, tc, own) - cosine), `layer ${layer}`).toBeLessThan(1e-3);
    }
  });

  it("gradients of several passes add up", () => {
    const { machine, model } = fixture;
    const [ner, tc] = [gradientsOf("ner"), gradientsOf("tc")];
    zeroGradients(machine, model.parameters);
    nerStep(fixture);
    tcStep(fixture);
    for (const parameter of model.parameters) {
      const sum = ner.get(parameter.name)!.map((value, i) => value + tc.get(parameter.name)![i]!);
      if (!isKeyBias(parameter.name)) expect(relativeGap(readParameter(machine, parameter, "gradient"), sum), parameter.name).toBeLessThan(1e-5);
    }
  });

  it("the same steps give the same bits", async () => {
    const run = async (): Promise<Float32Array[]> => {
      const { machine, model } = (fixture = await startFixture(build));
      for (let step = 1; step <= 3; step++) {
        zeroGradients(machine, model.parameters);
        nerStep(fixture);
        tcStep(fixture);
        adamWStep(machine, model.parameters, step, { learningRate: 1e-3 }, 1);
        refresh(machine, model);
      }
      return [...model.parameters].map((parameter) => readParameter(machine, parameter, "value"));
    };
    expect(await run()).toEqual(await run());
  });

  it("20 steps of AdamW on ner + 0.5·tc with clipping: losses within 1e-4, weights within 1e-4", () => {
    const { machine, model } = fixture;
    const { lr, betas, eps, weight_decay, clip_norm } = given.adamw;
    for (const [index, want] of given.trajectory.entries()) {
      zeroGradients(machine, model.parameters);
      expect(Math.abs(nerStep(fixture) - want.ner), `step ${index}`).toBeLessThan(1e-4);
      expect(Math.abs(tcStep(fixture, 0.5) - want.tc), `step ${index}`).toBeLessThan(1e-4);
      const norm = gradientNorm(machine, model.parameters);
      expect(Math.abs(norm / want.grad_norm - 1), `step ${index}`).toBeLessThan(1e-4);
      adamWStep(machine, model.parameters, index + 1, { learningRate: lr, betas, epsilon: eps, weightDecay: weight_decay }, clipFactor(norm, clip_norm));
      refresh(machine, model);
    }
    for (const [name, values] of readTensors(`${FOLDER}/after-20-steps.safetensors`)) {
      // A key's bias may take up to 20 steps of the learning rate in another direction.
      const allowed = isKeyBias(name) ? 2 * given.trajectory.length * lr : 1e-4;
      expect(largestGap(readParameter(machine, model.parameters.get(name), "value"), values), name).toBeLessThan(allowed);
    }
  });
});

import { describe, expect, it } from "vitest";
import { readTensors } from "../golden/read-tensors.ts";
import { trainBuilds } from "../kernels/instance.ts";
import { FOLDER, given } from "../train/fixture.ts";
import { BATCH, startTrainer, valuesOf } from "./golden-trainer.ts";

/** Tolerances are those of tests/train/pytorch.test.ts, which says why; biases of keys have no gradient but rounding. */
const isKeyBias = (name: string): boolean => name.endsWith("self.key.bias");

describe.each(trainBuilds)("the trainer against PyTorch, %s", (build) => {
  it("20 updates by ner + 0.5·tc: losses and norms within 1e-4, weights within 1e-4", async () => {
    const trainer = await startTrainer({}, { build });
    for (const want of given.trajectory) {
      const { record } = await trainer.update(BATCH);
      expect(Math.abs(record.ner! - want.ner), `update ${record.step}`).toBeLessThan(1e-4);
      expect(Math.abs(record.tc! - want.tc), `update ${record.step}`).toBeLessThan(1e-4);
      expect(Math.abs(record.gradientNorm! / want.grad_norm - 1), `update ${record.step}`).toBeLessThan(1e-4);
    }
    const values = valuesOf(trainer);
    for (const [name, want] of readTensors(`${FOLDER}/after-20-steps.safetensors`)) {
      const gap = want.reduce((most, value, i) => Math.max(most, Math.abs(value - values.get(name)![i]!)), 0);
      expect(gap, name).toBeLessThan(isKeyBias(name) ? 2 * 20 * 1e-3 : 1e-4);
    }
  });

  it("the probe's cosines by layer are within 1e-3, single batches and means of the same batch", async () => {
    const trainer = await startTrainer({ probe: { every: 1 } }, { build });
    const means = await trainer.probeMeans([[BATCH, BATCH], [BATCH, BATCH]]);
    const { probe } = await trainer.update(BATCH);
    for (const [layer, want] of Object.entries(given.backbone_gradient_cosine.per_layer)) {
      for (const parts of [probe!, means]) expect(Math.abs(parts.find(({ part }) => part === `layer ${layer}`)!.cosine - want), `layer ${layer}`).toBeLessThan(1e-3);
    }
    const grads = { ner: readTensors(`${FOLDER}/grad-ner.safetensors`), tc: readTensors(`${FOLDER}/grad-tc.safetensors`) };
    const norm = (of: Map<string, Float32Array>): number => Math.sqrt([...of].filter(([name]) => name.startsWith("backbone/encoder.layer.")).reduce((sum, [, values]) => sum + values.reduce((s, x) => s + x * x, 0), 0));
    // Weights of the losses are not counted in.
    for (const parts of [probe!, means]) expect(parts.find(({ part }) => part === "layers")!.ratio / (norm(grads.ner) / norm(grads.tc))).toBeCloseTo(1, 3);
    for (const { part, ner, tc } of means) expect([part, ner!.toFixed(6), tc!.toFixed(6)]).toEqual([part, "1.000000", "1.000000"]);
  });
});

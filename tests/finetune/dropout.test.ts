// Which rate drops what; that it is dropped where PyTorch's BERT does, and the right gradients: tests/train/differences.test.ts.
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { trainAdapter, type TrainingOptions } from "../../src/finetune/index.ts";
import type { Encoder } from "../../src/index.ts";
import { labelledRows, tinyEncoder, TOY } from "./fixture.ts";

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString("utf8");

/** Digest of the weights after a few updates, the loss of each, and what the files say of it. */
async function train(options: TrainingOptions) {
  const { files, history } = await trainAdapter(encoder, { name: "mood", train: labelledRows(24) }, { ...TOY, epochs: 1, ...options });
  const config = JSON.parse(text(files.get("adapter_config.json"))) as Record<string, unknown>;
  return { weights: createHash("sha256").update(files.get("adapter_model.safetensors")!).digest("hex"), losses: history.steps.map(({ loss }) => loss), config, card: text(files.get("README.md")), settings: history.settings };
}

describe("dropout", () => {
  it("is 0.1 where it is not given, and that of LoRA 0", async () => {
    const { settings, config, card, weights } = await train({ dropout: undefined });
    expect([settings["dropout"], settings["loraDropout"], config["lora_dropout"]]).toEqual([0.1, 0, 0]);
    expect(card).toContain('["dropout",0.1]\n["loraDropout",0]');
    expect((await train({ dropout: 0.1, loraDropout: 0 })).weights).toBe(weights);
  });

  it("0 drops nothing: no seed of the draws, whatever the update, has an effect", async () => {
    // One pass over all rows, in which the order alone may differ; its loss is that of the head as it begins.
    const once = { batchSize: 24, learningRate: 0, headLearningRate: 0, epochs: 4, warmup: 0 };
    const [first, ...later] = (await train({ ...once, dropout: 0 })).losses;
    const rounding = 2e-6 * first!;
    for (const loss of later) expect(Math.abs(loss - first!)).toBeLessThan(rounding);
    const dropped = (await train({ ...once, dropout: 0.3 })).losses;
    expect(new Set(dropped).size).toBe(4);
    for (const loss of dropped) expect(Math.abs(loss - first!)).toBeGreaterThan(5 * rounding);
  });

  it("that of LoRA drops inputs of the low-rank terms alone", async () => {
    const [none, lora, both] = [await train({}), await train({ loraDropout: 0.5 }), await train({ loraDropout: 0.5, dropout: 0.5 })];
    // B begins with 0: the first loss does not see what A x has lost, the first gradient does.
    expect(lora.losses[0]).toBe(none.losses[0]);
    expect(lora.weights).not.toBe(none.weights);
    expect(both.losses[0]).not.toBe(none.losses[0]);
    expect(lora.config["lora_dropout"]).toBe(0.5);
    expect(both.config["lora_dropout"]).toBe(0.5);
    expect((await train({ dropout: 0.5 })).config["lora_dropout"]).toBe(0);
    expect(both.settings).toMatchObject({ dropout: 0.5, loraDropout: 0.5 });
  });

  it.each<TrainingOptions>([{ method: "head" }, { method: "ia3" }])("that of LoRA has no effect where there is no low-rank term: $method", async (options) => {
    const none = await train(options);
    expect((await train({ ...options, loraDropout: 0.5 })).weights).toBe(none.weights);
    // The classifier's, and of (IA)³ the layers' as well.
    expect((await train({ ...options, dropout: 0.5 })).weights).not.toBe(none.weights);
  });
});

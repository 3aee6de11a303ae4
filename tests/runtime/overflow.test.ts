import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, RootstockError, type Classification, type Encoder } from "../../src/index.ts";
import { trainAdapter } from "../../src/finetune/index.ts";
import { labelledRows, tinyFiles } from "../finetune/fixture.ts";
import { editTensors, readFolder } from "./folder.ts";
import { refuses } from "./refuses.ts";

const WEIGHTS = "adapter_model.safetensors";
const TEXT = "Is the card Ana lost in Lisbon blocked?";

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadEncoder("models/mtpf-minilm-l6");
  await encoder.addAdapter("sound", "models/adapters/wikigold");
});

afterAll(() => encoder.dispose());

/** An adapter of PEFT whose tensors of a kind are all of one size, by default as large as float32 goes, with signs as `sign` says. */
function huge(name: string, kind: RegExp, sign: (i: number) => number, size = 3e38): Map<string, Uint8Array> {
  return editTensors(readFolder(`tests/golden/adapters/${name}`), WEIGHTS, (tensor) => {
    if (!kind.test(tensor.name)) return tensor;
    const values = Float32Array.from({ length: tensor.data.length / 4 }, (_, i) => size * sign(i));
    return { ...tensor, data: new Uint8Array(values.buffer) };
  });
}

async function rejection(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    (value) => value,
    (reason: unknown) => reason,
  );
}

describe("adapters of finite weights whose results overflow float32", () => {
  const alternating = (i: number): number => (i % 3 === 0 ? -1 : 1);
  for (const [name, kind, size] of [
    // Every sum stays finite, and a LayerNorm's squares do not.
    ["snips-slots-lora-all", /5\.output\.dense\.lora_B/, 1e21],
    ["snips-slots-lora-all", /5\.output\.dense\.lora_B/, 1e30],
    ["wikigold-lora", /value\.lora_B/, 1e30],
    ["vader-dora", /lora_B/],
    ["banking77-rslora", /lora_/],
    ["sms-spam-ia3", /ia3/],
    ["snips-slots-lora-all", /lora_A/],
    ["wikigold-lora", /lora_B/],
  ] as const) {
    it(`${name}, ${kind.source}, ${size ?? 3e38}: one error that names the task, for labels, logits and vectors`, async () => {
      const before = await encoder.run(TEXT, ["sound"]);
      await encoder.addAdapter("huge", huge(name, kind, alternating, size));
      for (const attempt of [() => encoder.run(TEXT, ["sound", "huge"]), () => encoder.logits([101, 2003, 102], "huge"), () => encoder.embed([TEXT], { task: "huge" })]) {
        const error = await rejection(attempt());
        expect(error).toBeInstanceOf(RootstockError);
        expect((error as RootstockError).code).toBe("tensor-value");
        expect((error as RootstockError).message).toMatch(/task "huge".*overflow/);
      }
      await encoder.removeAdapter("huge");
      expect(await encoder.run(TEXT, ["sound"])).toEqual(before);
    });
  }

  it("a trunk that overflows is none, and training on it says so", async () => {
    const files = editTensors(tinyFiles(), "model.safetensors", (tensor) =>
      /layer\.0\.output\.LayerNorm\.weight/.test(tensor.name) ? { ...tensor, data: new Uint8Array(new Float32Array(tensor.data.length / 4).fill(3e38).buffer) } : tensor);
    using broken = await loadEncoder(files);
    await refuses(broken.trunk("ada lives in oslo"), "tensor-value", /overflow/);
    await refuses(trainAdapter(broken, { name: "toy", train: labelledRows(12) }, { layers: 1, epochs: 1 }), "tensor-value", /overflow/);
  });

  it("does not take logits that are all −∞ for labels of one probability", async () => {
    // Rows of the classifier are all −3e38 but for what the signs of the pooled row leave: softmax would give 1/77 each.
    for (const sign of [() => 1, () => -1]) {
      await encoder.addAdapter("huge", huge("banking77-rslora", /classifier/, sign));
      const result = await rejection(encoder.run(TEXT, ["huge"], { topK: null }));
      await encoder.removeAdapter("huge");
      expect(result).toBeInstanceOf(RootstockError);
      expect((result as RootstockError).code).toBe("tensor-value");
    }
  });

  it("leaves finite results alone: a large bias saturates", async () => {
    await encoder.addAdapter("biased", huge("sms-spam-ia3", /classifier.*bias/, (i) => (i === 0 ? -1 : 1)));
    const { biased } = await encoder.run(TEXT, ["biased"]);
    await encoder.removeAdapter("biased");
    expect(biased as Classification[]).toEqual([{ label: "spam", score: 1 }]);
  });
});

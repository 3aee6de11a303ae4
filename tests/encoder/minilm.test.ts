import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { cosine } from "./cosine.ts";
import { largestGap } from "./gap.ts";

const FIXTURES = "../shared/fixtures";
const SOURCE = `${FIXTURES}/encoder/all-MiniLM-L6-v2`;
const ADAPTERS = ["wikigold-lora", "snips-slots-lora-all", "vader-dora", "banking77-rslora", "clinc150-lora-pattern", "sms-spam-ia3"];
const absent = !existsSync(SOURCE);

interface Example {
  text: string;
  input_ids: number[];
  embedding: number[];
}

function examples(): Example[] {
  const { examples } = JSON.parse(gunzipSync(readFileSync(`${FIXTURES}/encoder/embeddings.json.gz`)).toString()) as { examples: Example[] };
  return examples;
}

/** Mean of the token rows. */
function mean(state: Float32Array, width: number): Float64Array {
  const sum = new Float64Array(width);
  for (let i = 0; i < state.length; i++) sum[i % width]! += state[i]!;
  return sum;
}

describe.skipIf(absent)("all-MiniLM-L6-v2 in float32 against PyTorch (needs ../shared/fixtures)", () => {
  it("has PyTorch's hidden states in every layer for the two shortest texts", async () => {
    const tensors = readTensors(`${FIXTURES}/encoder/hidden.safetensors`);
    using encoder = await loadFloat32Encoder(SOURCE);
    const texts = examples()
      .slice(0, 12)
      .map(({ input_ids }, index) => ({ ids: input_ids, index }))
      .sort((a, b) => a.ids.length - b.ids.length);
    for (const { ids, index } of texts.slice(0, 2)) {
      for (const [layer, state] of (await encoder.hiddenStates(ids, null)).entries()) {
        expect(largestGap(state, tensors.get(`${index}/hidden.${layer}`)!)).toBeLessThan(2e-4);
      }
    }
  });
});

// The encoder that ships, converted with calibration: tests/models/pytorch.test.ts.
describe.skipIf(absent)("all-MiniLM-L6-v2 in int8, read directly (needs ../shared/fixtures)", () => {
  let encoder: Encoder;

  beforeAll(async () => {
    encoder = await loadEncoder(SOURCE);
    for (const name of ADAPTERS) await encoder.addAdapter(name, `tests/golden/adapters/${name}`);
  });

  afterAll(() => encoder.dispose());

  it("sentence vectors of 200 texts: cosine to float32 ≥ 0.997 in the mean, ≥ 0.985 for each", async () => {
    const cosines: number[] = [];
    for (const { input_ids, embedding } of examples()) {
      cosines.push(cosine(mean(await encoder.forward(input_ids, null), 384), embedding));
    }
    expect(cosines.length).toBe(200);
    expect(cosines.reduce((a, b) => a + b) / cosines.length).toBeGreaterThanOrEqual(0.997);
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.985);
  });

  for (const name of ADAPTERS) {
    it(`${name}: logits of 48 test rows point the way PEFT's do`, async () => {
      const golden = JSON.parse(readFileSync(`${FIXTURES}/adapters/${name}/golden.json`, "utf8")) as {
        classes: string[];
        examples: { input_ids: number[]; logits: (number | number[])[] }[];
      };
      expect(encoder.info.tasks.find((task) => task.name === name)?.labels).toEqual(golden.classes);
      const cosines: number[] = [];
      for (const { input_ids, logits } of golden.examples) {
        const own = await encoder.logits(input_ids, name);
        const reference = logits.flat();
        expect(own.length).toBe(reference.length);
        cosines.push(cosine(own, reference));
      }
      expect(cosines.length).toBe(48);
      expect(cosines.reduce((a, b) => a + b) / cosines.length).toBeGreaterThan(0.99);
    });
  }
});

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { largestGap, someLabels } from "./gap.ts";

const TINY = "tests/golden/tiny";
const FAMILIES = ["bert", "bert-relu-wide", "distilbert", "roberta", "xlm-roberta", "albert", "electra"];
/** Of float32 arithmetic in another order, over at most 4 layers of width 96. */
const TOLERANCE = 2e-4;

describe("every family against PyTorch, float32 weights", () => {
  for (const family of FAMILIES) {
    it(`${family}: embeddings and every layer`, async () => {
      const golden = JSON.parse(readFileSync(`${TINY}/${family}/golden.json`, "utf8")) as { input_ids: number[][] };
      const tensors = readTensors(`${TINY}/${family}/golden.safetensors`);
      using encoder = await loadFloat32Encoder(`${TINY}/${family}`);
      for (const [index, ids] of golden.input_ids.entries()) {
        const states = await encoder.hiddenStates(ids, null);
        expect(states.length).toBe(encoder.info.layers + 1);
        for (const [layer, state] of states.entries()) {
          expect(largestGap(state, tensors.get(`${index}/hidden.${layer}`)!)).toBeLessThan(TOLERANCE);
        }
        expect(await encoder.forward(ids, null)).toEqual(states.at(-1));
      }
    });
  }
});

describe("every supported adapter kind against PEFT, float32 weights", () => {
  const folder = `${TINY}/bert-adapters`;
  const REFUSED = new Set(["adalora", "loha", "lokr", "prefix", "prefix-token", "prompt", "vera"]);
  for (const kind of readdirSync(folder)) {
    const golden = JSON.parse(readFileSync(`${folder}/${kind}/golden.json`, "utf8")) as {
      task_type: string;
      num_labels: number;
      input_ids: number[][];
      logits: number[][] | number[][][];
    };
    const labels = someLabels(golden.num_labels);
    if (REFUSED.has(kind)) {
      it(`${kind} is refused by name`, async () => {
        using encoder = await loadFloat32Encoder(`${TINY}/bert`);
        await expect(encoder.addAdapter("task", `${folder}/${kind}`, { labels })).rejects.toMatchObject({
          code: "adapter-unsupported",
          message: expect.stringMatching(/supported are LORA/) as unknown,
        });
      });
      continue;
    }
    it(`${kind}: logits`, async () => {
      using encoder = await loadFloat32Encoder(`${TINY}/bert`);
      await encoder.addAdapter("task", `${folder}/${kind}`, { labels });
      for (const [index, ids] of golden.input_ids.entries()) {
        const logits = await encoder.logits(ids, "task");
        expect(largestGap(logits, golden.logits[index]!.flat() as number[])).toBeLessThan(TOLERANCE);
      }
    });
  }
});

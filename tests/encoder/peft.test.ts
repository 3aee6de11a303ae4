import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { largestGap, someLabels } from "./gap.ts";

const FOLDER = "tests/golden/peft";
/** Ten times the largest gap between PyTorch's own float32 and float64 results on these (5.5e-6). */
const TOLERANCE = 6e-5;

interface Case {
  folder: string;
  base: string;
  task_type: string;
  num_labels?: number;
  expect: "load" | "refuse";
  covers: string;
}

const index = JSON.parse(readFileSync(`${FOLDER}/index.json`, "utf8")) as {
  bases: { folder: string; family: string }[];
  cases: Case[];
  masks: { file: string; base: string }[];
};

function readGolden(folder: string): { input_ids: number[][]; logits?: (number | number[])[][] } {
  return JSON.parse(readFileSync(`${folder}/golden.json`, "utf8")) as ReturnType<typeof readGolden>;
}

/** Every stored hidden state of a golden folder against the encoder's. */
async function compareStates(folder: string, states: (ids: number[]) => Promise<Float32Array[]>): Promise<void> {
  const tensors = readTensors(`${folder}/golden.safetensors`);
  for (const [text, ids] of readGolden(folder).input_ids.entries()) {
    for (const [layer, state] of (await states(ids)).entries()) {
      expect(largestGap(state, tensors.get(`${text}/hidden.${layer}`)!), `text ${text}, layer ${layer}`).toBeLessThan(TOLERANCE);
    }
  }
}

describe("odd sizes and every family against PyTorch, float32 weights", () => {
  for (const { folder, family } of index.bases) {
    it(`${folder} (${family})`, async () => {
      using encoder = await loadFloat32Encoder(`${FOLDER}/${folder}`);
      await compareStates(`${FOLDER}/${folder}`, (ids) => encoder.hiddenStates(ids, null));
    });
  }
  for (const { file, base } of index.masks) {
    it(`${file}: masked keys are left out`, async () => {
      const golden = JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")) as {
        input_ids: number[];
        attention_mask: number[];
        rows: number[];
        last_hidden_state: number[][];
      };
      using encoder = await loadFloat32Encoder(`${FOLDER}/${base}`);
      const last = await encoder.forward(golden.input_ids, null, { attentionMask: golden.attention_mask });
      const { hidden } = encoder.info;
      for (const [i, row] of golden.rows.entries()) {
        expect(largestGap(last.subarray(row * hidden, (row + 1) * hidden), golden.last_hidden_state[i]!)).toBeLessThan(TOLERANCE);
      }
    });
  }
});

describe("adapters of every kind and family against PEFT, float32 weights", () => {
  for (const { folder, base, num_labels, expect: expected, covers } of index.cases) {
    it(`${folder}: ${covers}`, async () => {
      using encoder = await loadFloat32Encoder(`${FOLDER}/${base}`);
      const added = encoder.addAdapter("task", `${FOLDER}/${folder}`, num_labels === undefined ? {} : { labels: someLabels(num_labels) });
      if (expected === "refuse") {
        await expect(added).rejects.toMatchObject({ code: "adapter-unsupported" });
        return;
      }
      await added;
      const golden = readGolden(`${FOLDER}/${folder}`);
      if (golden.logits === undefined) {
        await compareStates(`${FOLDER}/${folder}`, (ids) => encoder.hiddenStates(ids, "task"));
        return;
      }
      for (const [text, ids] of golden.input_ids.entries()) {
        const logits = await encoder.logits(ids, "task");
        expect(largestGap(logits, golden.logits[text]!.flat()), `text ${text}`).toBeLessThan(TOLERANCE);
      }
    });
  }
});

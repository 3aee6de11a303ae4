import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadEncoder } from "../../src/index.ts";
import { readTensors } from "../golden/read-tensors.ts";
import { largestGap, someLabels } from "./gap.ts";

/** Relative error of the last hidden state over all tiny encoders: 0.041 measured, widths of 64 to 96. */
const STATE_ERROR = 0.045;
/** Largest error of a logit over every adapter below: 0.296 measured, on logits that span 8.8. */
const LOGIT_ERROR = 0.3;

interface Case {
  name: string;
  base: string;
  folder: string;
}

function cases(): Case[] {
  const tiny = "tests/golden/tiny";
  const peft = "tests/golden/peft";
  const { cases: listed } = JSON.parse(readFileSync(`${peft}/index.json`, "utf8")) as { cases: { folder: string; base: string; expect: string; num_labels?: number }[] };
  const unsupported = new Set(["adalora", "loha", "lokr", "prefix", "prefix-token", "prompt", "vera"]);
  return [
    ...readdirSync(`${tiny}/bert-adapters`)
      .filter((kind) => !unsupported.has(kind))
      .map((kind) => ({ name: `tiny ${kind}`, base: `${tiny}/bert`, folder: `${tiny}/bert-adapters/${kind}` })),
    ...listed
      .filter((item) => item.expect === "load" && item.num_labels !== undefined)
      .map((item) => ({ name: item.folder, base: `${peft}/${item.base}`, folder: `${peft}/${item.folder}` })),
  ];
}

function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

/** Largest minus second largest. */
function margin(row: readonly number[]): number {
  const [first, second] = row.toSorted((a, b) => b - a);
  return first! - second!;
}

describe("int8 against PyTorch", () => {
  for (const family of ["bert", "bert-relu-wide", "distilbert", "roberta", "xlm-roberta", "albert", "electra"]) {
    it(`${family}: last hidden state within ${STATE_ERROR}`, async () => {
      const folder = `tests/golden/tiny/${family}`;
      const golden = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8")) as { input_ids: number[][] };
      const tensors = readTensors(`${folder}/golden.safetensors`);
      using encoder = await loadEncoder(folder);
      for (const [text, ids] of golden.input_ids.entries()) {
        const expected = tensors.get(`${text}/hidden.${encoder.info.layers}`)!;
        const state = await encoder.forward(ids, null);
        let error = 0;
        let squares = 0;
        for (let i = 0; i < state.length; i++) {
          error += (state[i]! - expected[i]!) ** 2;
          squares += expected[i]! ** 2;
        }
        expect(Math.sqrt(error / squares)).toBeLessThan(STATE_ERROR);
      }
    });
  }
});

describe("int8 adapters against PEFT: the label is the same wherever the margin exceeds the error", () => {
  for (const { name, base, folder } of cases()) {
    it(name, async () => {
      const golden = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8")) as {
        num_labels: number;
        input_ids: number[][];
        logits: (number | number[])[][];
      };
      using encoder = await loadEncoder(base);
      await encoder.addAdapter("task", folder, { labels: someLabels(golden.num_labels) });
      const rows: { own: Float32Array; reference: number[] }[] = [];
      let error = 0;
      for (const [text, ids] of golden.input_ids.entries()) {
        const own = await encoder.logits(ids, "task");
        const reference = golden.logits[text]!.flat();
        error = Math.max(error, largestGap(own, reference));
        for (let at = 0; at < own.length; at += golden.num_labels) {
          rows.push({ own: own.subarray(at, at + golden.num_labels), reference: reference.slice(at, at + golden.num_labels) });
        }
      }
      expect(error).toBeLessThan(LOGIT_ERROR);
      const clear = rows.filter(({ reference }) => margin(reference) > error);
      expect(clear.length).toBeGreaterThan(0);
      for (const { own, reference } of clear) expect(argmax(own)).toBe(argmax(reference));
    });
  }
});

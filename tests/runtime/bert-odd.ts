import { readFileSync } from "node:fs";
import { loadEncoder, type Encoder, type LoadOptions } from "../../src/index.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { someLabels } from "../encoder/gap.ts";
import { readFolder } from "./folder.ts";

const { cases } = JSON.parse(readFileSync("tests/golden/peft/index.json", "utf8")) as {
  cases: { folder: string; base: string; expect: string; num_labels?: number; task_type: string }[];
};

/** Every kind of adapter that is read, on one tiny encoder of three layers: a task's name, its files, its labels. */
export const ODD_ADAPTERS = cases
  .filter((one) => one.base === "base/bert-odd" && one.expect === "load" && one.num_labels !== undefined)
  .map(({ folder, num_labels, task_type }) => ({
    name: folder.replace("adapters/", ""),
    files: readFolder(`tests/golden/peft/${folder}`),
    labels: task_type === "TOKEN_CLS" ? ["O", "B-A", "I-A", "B-B", "I-B"].slice(0, num_labels!) : someLabels(num_labels!),
  }));

export type OddAdapter = (typeof ODD_ADAPTERS)[number];

/** The tiny encoder and its adapters; it reads 19 tokens, its words are w0 … w39. */
export async function loadOdd(options: LoadOptions = {}, adapters: readonly OddAdapter[] = ODD_ADAPTERS): Promise<Encoder> {
  const encoder = await loadEncoder(tinyFolder("bert"), options);
  for (const { name, files, labels } of adapters) await encoder.addAdapter(name, files, { labels });
  return encoder;
}

/** A text of that many words. */
export function words(count: number, seed: number): string {
  return Array.from({ length: count }, (_, i) => `w${(seed * 13 + i * 7) % 40}`).join(" ");
}

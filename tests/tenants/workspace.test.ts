import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadEncoder, type Encoder, type RunOptions, type TextRequest } from "../../src/index.ts";
import { AdapterStore } from "../../src/model/adapter-store.ts";
import { ARENA_START } from "../../src/wasm/memory.ts";
import { FAMILIES, tinyFolder } from "../convert/tiny-folder.ts";
import { someLabels } from "../encoder/gap.ts";
import { answers, loadGolden } from "../faults/golden.ts";
import { WatchedKernels } from "../faults/kernels.ts";
import { index, seeded } from "../reliability/random.ts";
import { record } from "../reliability/record.ts";
import { SEED } from "../reliability/scale.ts";
import { words } from "../runtime/bert-odd.ts";
import { readFolder } from "../runtime/folder.ts";

const ALL: RunOptions = { topK: null, ignoreLabels: [] };

/** What another tenant, or nobody, may have left. As bytes, they are ids, codes, masks and numbers alike. */
const CANARIES: Record<string, (workspace: Uint8Array) => void> = {
  "NaN, and −1 as an integer": (workspace) => workspace.fill(0xff),
  "NaN that carries a mark": (workspace) => new Uint32Array(workspace.buffer, workspace.byteOffset, workspace.length >>> 2).fill(0x7fa5c35a),
  "3.4e38, and 127 as a code": (workspace) => workspace.fill(0x7f),
  "a number that is found again": (workspace) => new Float32Array(workspace.buffer, workspace.byteOffset, workspace.length >>> 2).fill(1234567.875),
  "zeros": (workspace) => workspace.fill(0),
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function workspaceOf({ loaded }: Encoder): Uint8Array {
  return loaded.machine.memory.octets(ARENA_START, loaded.weights.start - ARENA_START);
}

/** Fills the whole workspace before every pass. Returns how often that was. */
function filledBeforeEachPass(encoder: Encoder, fill: (workspace: Uint8Array) => void): () => number {
  let passes = 0;
  const { release } = AdapterStore.prototype;
  // It ends every pass.
  vi.spyOn(AdapterStore.prototype, "release").mockImplementation(function (this: AdapterStore) {
    release.call(this);
    fill(workspaceOf(encoder));
    passes++;
  });
  fill(workspaceOf(encoder));
  return () => passes;
}

interface Case {
  readonly folder: string;
  readonly base: string;
  readonly expect: string;
  readonly num_labels?: number;
  readonly task_type: string;
}
const { cases } = JSON.parse(readFileSync("tests/golden/peft/index.json", "utf8")) as { cases: readonly Case[] };

/** A tiny encoder of a family with every adapter that there is for it. */
async function loadFamily(family: (typeof FAMILIES)[number]): Promise<Encoder> {
  const encoder = await loadEncoder(tinyFolder(family));
  const base = `base/${family === "bert" ? "bert-odd" : family}`;
  for (const { folder, num_labels, task_type } of cases.filter((one) => one.base === base && one.expect === "load" && one.num_labels !== undefined)) {
    const labels = task_type === "TOKEN_CLS" ? ["O", "B-A", "I-A", "B-B", "I-B"].slice(0, num_labels!) : someLabels(num_labels!);
    await encoder.addAdapter(folder.replace("adapters/", ""), readFolder(`tests/golden/peft/${folder}`), { labels });
  }
  return encoder;
}

/** Every call, with texts of every length up to what is read, so that every tail of a tile is there, alone and together. */
async function everything(encoder: Encoder): Promise<unknown> {
  const names = encoder.info.tasks.map(({ name }) => name);
  const most = encoder.info.maxTokens - 2;
  const texts = Array.from({ length: Math.min(most, 19) }, (_, i) => words(i + 1, i));
  const ids = [2, 5, 6, 7, 9, 11, 3];
  const alone: unknown[] = [];
  for (const [i, text] of texts.entries()) alone.push(await encoder.run(text, [names[i % names.length]!], ALL));
  return {
    alone,
    together: await encoder.runBatch(texts.map((text): TextRequest => ({ text, tasks: names })), ALL),
    states: [await encoder.hiddenStates(ids, null), await encoder.hiddenStates([2], names[0]!)],
    logits: await Promise.all(names.map((name) => encoder.logits(ids, name, { attentionMask: [1, 0, 1, 1, 0, 1, 1] }))),
    vectors: [await encoder.embed(texts), await encoder.embed(texts, { task: names.at(-1)! })],
    trunk: await encoder.run(await encoder.trunk(texts.at(-1)!), names, ALL),
  };
}

describe.each(FAMILIES)("%s: what is left in the workspace", (family) => {
  it("has no effect on any result, whatever it is", async () => {
    using encoder = await loadFamily(family);
    const expected = await everything(encoder);
    let passes = 0;
    for (const fill of Object.values(CANARIES)) {
      const filled = filledBeforeEachPass(encoder, fill);
      expect(await everything(encoder)).toEqual(expected);
      passes += filled();
      vi.restoreAllMocks();
    }
    record(`C5-${family}`, { passes, canaries: Object.keys(CANARIES).length, differences: 0 });
  });
});

it("the shipped encoder, adapters of every kind: no canary has an effect, on long texts and short", async () => {
  using encoder = await loadEncoder("models/mtpf-minilm-l6");
  for (const name of ["wikigold-lora", "snips-slots-lora-all", "vader-dora", "banking77-rslora", "sms-spam-ia3"]) await encoder.addAdapter(name, `tests/golden/adapters/${name}`);
  const tasks = encoder.info.tasks.map(({ name }) => name);
  const sentence = "Marie Curie's card was lost at gate 7 in Warsaw, and she moved to Paris. ";
  const texts = [1, 2, 10].map((count) => sentence.repeat(count));
  const questions = async (): Promise<unknown> => ({ results: await encoder.runBatch(texts.map((text) => ({ text, tasks })), ALL), vectors: await encoder.embed(texts) });
  const expected = await questions();
  for (const fill of Object.values(CANARIES).slice(1, 3)) {
    filledBeforeEachPass(encoder, fill);
    expect(await questions()).toEqual(expected);
    vi.restoreAllMocks();
  }
});

it("these tests would see a kernel that leaves out one call", async () => {
  const watched = new WatchedKernels();
  using encoder = await loadGolden({ kernel: "fixed" });
  const expected = await answers(encoder);
  const before = new Map(watched.calls);
  await answers(encoder);
  const random = seeded(SEED);
  let left = 0;
  for (const [name, total] of [...watched.calls]) {
    const count = total - (before.get(name) ?? 0);
    if (count === 0) continue;
    filledBeforeEachPass(encoder, CANARIES["NaN, and −1 as an integer"]!);
    watched.replace(name, index(random, count), () => left++);
    expect(await answers(encoder).catch((error: unknown) => error), name).not.toEqual(expected);
    watched.clear();
    vi.restoreAllMocks();
  }
  expect(left).toBeGreaterThan(12);
});

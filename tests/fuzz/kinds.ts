import { loadEncoder, type Encoder } from "../../src/index.ts";
import { FAMILIES, tinyFolder } from "../convert/tiny-folder.ts";
import type { Random } from "../reliability/random.ts";
import { loadOdd, ODD_ADAPTERS } from "../runtime/bert-odd.ts";
import { jsonBase, mutateJson } from "./generators/json.ts";
import { mutateHeader, mutatePayload, safetensorsBase } from "./generators/safetensors.ts";
import { encoded, microConverted, microEncoder, withVouched, type Files } from "./micro.ts";
import { judgeAdapter } from "./oracles/adapter.ts";
import { judgeEncoder, type EncoderTrial } from "./oracles/encoder.ts";
import { checkpointOf, judgeRows, judgeTraining } from "./oracles/training.ts";
import { judgeTokenizer } from "./oracles/tokenizer.ts";
import type { Verdict } from "./oracles/verdict.ts";
import { tokenizerFiles } from "./tokenizers.ts";

/** One file that is mutated, and what judges it in its place. */
export interface Target {
  readonly name: string;
  readonly mutate: (random: Random) => Uint8Array;
  readonly judge: (mutant: Uint8Array) => Promise<Verdict>;
}

/** A kind of file, and how many of 100 mutants are of it. */
export interface Kind {
  readonly name: string;
  readonly share: number;
  readonly targets: readonly Target[];
}

export interface Kinds {
  readonly list: readonly Kind[];
  /** Throws when the encoder that adapters are added to no longer gives the bits it gave at first. */
  checkResident(): Promise<void>;
  dispose(): void;
}

const WEIGHTS = "model.safetensors";
const ADAPTER_WEIGHTS = "adapter_model.safetensors";
const RESIDENT_IDS = [2, 7, 11, 30, 3];

function jsonTarget(name: string, bytes: Uint8Array, judge: Target["judge"]): Target {
  const base = jsonBase(bytes);
  return { name, mutate: (random) => mutateJson(base, random), judge };
}

function encoderTarget(name: string, files: Files, file: string, mutate: Target["mutate"], trial: EncoderTrial = {}): Target {
  return { name, mutate, judge: (mutant) => judgeEncoder(new Map(files).set(file, mutant), trial) };
}

function encoderJson(name: string, files: Files, file: string, trial: EncoderTrial = {}): Target {
  const base = jsonBase(files.get(file)!);
  return encoderTarget(name, files, file, (random) => mutateJson(base, random), trial);
}

/** Every kind of file that a stranger may give. */
export async function makeKinds(): Promise<Kinds> {
  const resident = await loadOdd({}, ODD_ADAPTERS.slice(0, 1));
  const trainer = await loadEncoder(microEncoder());
  const [first] = ODD_ADAPTERS;
  const before = await resident.logits(RESIDENT_IDS, first!.name);
  return {
    list: [...encoderKinds(), ...(await convertedKinds()), ...tokenizerKinds(), ...adapterKinds(resident), ...(await trainingKinds(trainer))],
    async checkResident() {
      const now = await resident.logits(RESIDENT_IDS, first!.name);
      if (!Buffer.from(now.buffer).equals(Buffer.from(before.buffer))) throw new Error("the encoder in use gives other bits than before");
    },
    dispose: () => [resident, trainer].forEach((encoder) => encoder.dispose()),
  };
}

function encoderKinds(): Kind[] {
  const micro = microEncoder();
  const weights = safetensorsBase(micro.get(WEIGHTS)!);
  return [
    { name: "encoder-header", share: 18, targets: [encoderTarget("micro", micro, WEIGHTS, (random) => mutateHeader(weights, random))] },
    { name: "encoder-payload", share: 3, targets: [encoderTarget("micro", micro, WEIGHTS, (random) => mutatePayload(weights, random))] },
    { name: "config", share: 14, targets: [encoderJson("micro", micro, "config.json"), ...FAMILIES.map((family) => encoderJson(family, tinyFolder(family), "config.json"))] },
  ];
}

async function convertedKinds(): Promise<Kind[]> {
  const [whole, cut] = [await microConverted(), await microConverted({ partBytes: 2_000 })];
  const weights = safetensorsBase(whole.get(WEIGHTS)!);
  const vouched = (name: string, file: string, mutate: Target["mutate"]): Target => ({ name, mutate, judge: (mutant) => judgeEncoder(withVouched(whole, file, mutant)) });
  const config = jsonBase(whole.get("config.json")!);
  return [
    { name: "manifest", share: 8, targets: [encoderJson("whole", whole, "rootstock.json"), encoderJson("parts", cut, "rootstock.json")] },
    {
      name: "converted",
      share: 7,
      targets: [
        vouched("header", WEIGHTS, (random) => mutateHeader(weights, random)),
        vouched("payload", WEIGHTS, (random) => mutatePayload(weights, random)),
        vouched("config", "config.json", (random) => mutateJson(config, random)),
        encoderTarget("digest", whole, WEIGHTS, (random) => mutatePayload(weights, random)),
      ],
    },
  ];
}

function tokenizerKinds(): Kind[] {
  const micro = microEncoder();
  const files = tokenizerFiles();
  const config = micro.get("tokenizer_config.json")!;
  const configBase = jsonBase(config);
  return [
    {
      name: "tokenizer",
      share: 16,
      targets: [
        encoderJson("whole encoder", micro, "tokenizer.json", { input: "text" }),
        ...[...files].map(([name, bytes]) => jsonTarget(name, bytes, (mutant) => judgeTokenizer(mutant, config))),
      ],
    },
    {
      name: "tokenizer-config",
      share: 4,
      targets: [...files].map(([name, bytes]) => ({ name, mutate: (random) => mutateJson(configBase, random), judge: (mutant) => judgeTokenizer(bytes, mutant) })),
    },
  ];
}

function adapterKinds(resident: Encoder): Kind[] {
  const folders = ODD_ADAPTERS.map(({ name, files, labels }) => ({
    name, labels,
    files: new Map(files).set("config.json", encoded({ id2label: { ...labels }, label2id: {}, problem_type: null })),
    weights: safetensorsBase(files.get(ADAPTER_WEIGHTS)!),
  }));
  const judge = (files: Files, file: string, labels?: readonly string[]) => (mutant: Uint8Array) => judgeAdapter(resident, new Map(files).set(file, mutant), labels);
  return [
    { name: "adapter-config", share: 14, targets: folders.map(({ name, files, labels }) => jsonTarget(name, files.get("adapter_config.json")!, judge(files, "adapter_config.json", labels))) },
    { name: "adapter-header", share: 8, targets: folders.map(({ name, files, weights, labels }) => ({ name, mutate: (random) => mutateHeader(weights, random), judge: judge(files, ADAPTER_WEIGHTS, labels) })) },
    { name: "adapter-payload", share: 2, targets: folders.map(({ name, files, weights, labels }) => ({ name, mutate: (random) => mutatePayload(weights, random), judge: judge(files, ADAPTER_WEIGHTS, labels) })) },
    { name: "labels", share: 6, targets: folders.slice(0, 3).map(({ name, files }) => jsonTarget(name, files.get("config.json")!, judge(files, "config.json"))) },
  ];
}

/** Rows of every form of training data. */
const ROWS: Readonly<Record<string, readonly object[]>> = {
  tagged: [{ tokens: ["a", "tree", "word"], tags: ["O", "B-PLANT", "I-PLANT"] }, { tokens: ["b", "."], tags: ["B-LETTER", "O"] }, { tokens: ["word"], tags: ["O"] }],
  spans: [{ text: "a tree. b", spans: [{ start: 2, end: 6, label: "PLANT" }, { start: 8, end: 9, label: "LETTER" }] }, { text: "é 😀 word", spans: [] }],
  both: [{ text: "a tree", spans: [{ start: 2, end: 6, label: "PLANT" }], tokens: ["a", "tree"], tags: ["O", "B-PLANT"] }],
  labelled: [{ text: "a tree", label: "plant" }, { text: "b", label: "letter" }, { text: "word b a", label: "plant" }],
  many: [{ text: "a tree", labels: ["plant", "letter"] }, { text: "b", labels: ["letter"] }, { text: ".", labels: [] }],
};

async function trainingKinds(encoder: Encoder): Promise<Kind[]> {
  const files = Object.entries(ROWS).map(([name, rows]) => [name, encoded(rows)] as const);
  const labelled = encoded(ROWS["labelled"]);
  const checkpoint = safetensorsBase(await checkpointOf(encoder, labelled));
  return [
    { name: "rows", share: 10, targets: files.map(([name, bytes]) => jsonTarget(name, bytes, (mutant) => judgeRows(encoder, mutant))) },
    { name: "training", share: 0.5, targets: files.map(([name, bytes]) => jsonTarget(name, bytes, (mutant) => judgeTraining(encoder, mutant))) },
    {
      name: "checkpoint",
      share: 0.5,
      targets: [
        { name: "header", mutate: (random) => mutateHeader(checkpoint, random), judge: (mutant) => judgeTraining(encoder, labelled, mutant) },
        { name: "payload", mutate: (random) => mutatePayload(checkpoint, random), judge: (mutant) => judgeTraining(encoder, labelled, mutant) },
      ],
    },
  ];
}

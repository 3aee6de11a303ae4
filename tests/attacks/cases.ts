/** Every crafted file, and the folders in which each stands in the place of a sound one: for any oracle. */

import { sentenceFiles } from "../../src/format/sentence-config.ts";
import { encoded, microConverted, microEncoder, withVouched, type Files } from "../fuzz/micro.ts";
import { ODD_ADAPTERS } from "../runtime/bert-odd.ts";
import type { Attack, AttackedFile } from "./attack.ts";
import { adapterConfigAttacks, configAttacks, labelAttacks, manifestAttacks, sentenceAttacks, tokenizerAttacks, tokenizerConfigAttacks } from "./json-files.ts";
import { SAFETENSORS_ATTACKS } from "./safetensors.ts";
import { adapterWeightAttacks, convertedWeightAttacks, encoderWeightAttacks } from "./weights.ts";

/** A sound folder, and the file of it that an attack replaces. */
export interface Place {
  readonly kind: "encoder" | "adapter";
  readonly files: Files;
  readonly name: string;
  /** The folder with the bytes in the file's place. */
  with(bytes: Uint8Array): Files;
}

export interface Attacks {
  readonly cases: readonly Attack[];
  /** Where the bytes of an attack may stand: `safetensors` in both kinds of folder. */
  readonly places: ReadonlyMap<AttackedFile, readonly Place[]>;
}

export async function makeAttacks(): Promise<Attacks> {
  const encoder = microEncoder();
  const converted = await microConverted();
  const { files, labels } = ODD_ADAPTERS.find(({ name }) => name === "bert-odd-seq")!;
  const adapter = new Map(files).set("config.json", encoded({ id2label: { ...labels }, problem_type: null }));
  const of = (folder: Files, name: string): Uint8Array => folder.get(name)!;
  const plain = (kind: Place["kind"], files: Files, name: string): Place => ({ kind, files, name, with: (bytes) => new Map(files).set(name, bytes) });
  const sentence = new Map([...encoder, ...sentenceFiles({ pooling: "cls", maxTokens: 8 }, 8)]);
  const inEncoder = (name: string): Place => plain("encoder", encoder, name);
  const inAdapter = (name: string): Place => plain("adapter", adapter, name);
  return {
    cases: [
      ...SAFETENSORS_ATTACKS,
      ...encoderWeightAttacks(encoder),
      ...convertedWeightAttacks(converted),
      ...adapterWeightAttacks(adapter),
      ...configAttacks(of(encoder, "config.json")),
      ...tokenizerAttacks(of(encoder, "tokenizer.json")),
      ...tokenizerConfigAttacks(of(encoder, "tokenizer_config.json")),
      ...sentenceAttacks(sentence),
      ...manifestAttacks(converted),
      ...adapterConfigAttacks(of(adapter, "adapter_config.json")),
      ...labelAttacks(of(adapter, "config.json")),
    ],
    places: new Map<AttackedFile, readonly Place[]>([
      ["safetensors", [inEncoder("model.safetensors"), inAdapter("adapter_model.safetensors")]],
      ["encoder weights", [inEncoder("model.safetensors")]],
      ["config.json", [inEncoder("config.json")]],
      ["tokenizer.json", [inEncoder("tokenizer.json")]],
      ["tokenizer_config.json", [inEncoder("tokenizer_config.json")]],
      ...(["modules.json", "1_Pooling/config.json", "sentence_bert_config.json"] as const).map((name) => [name, [plain("encoder", sentence, name)]] as const),
      ["rootstock.json", [plain("encoder", converted, "rootstock.json")]],
      ["converted weights", [{ ...plain("encoder", converted, "model.safetensors"), with: (bytes) => withVouched(converted, "model.safetensors", bytes) }]],
      ["adapter_config.json", [inAdapter("adapter_config.json")]],
      ["adapter weights", [inAdapter("adapter_model.safetensors")]],
      ["labels", [inAdapter("config.json")]],
    ]),
  };
}

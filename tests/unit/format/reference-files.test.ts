import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readEncoderConfig } from "../../../src/format/encoder-config.ts";
import { resolveEncoderTensors } from "../../../src/format/encoder-tensors.ts";
import { toFloat32 } from "../../../src/format/floats.ts";
import { resolveAdapter } from "../../../src/format/peft.ts";
import { readPeftConfig } from "../../../src/format/peft-config.ts";
import { parseSafetensorsHeader } from "../../../src/format/safetensors.ts";
import type { AdapterDescription, EncoderConfig, FloatDtype, SafetensorsFile } from "../../../src/format/types.ts";
import { expectError, outcome } from "./crafted.ts";

const ROOT = new URL("../../../../shared/fixtures/", import.meta.url);
const present = existsSync(ROOT);
const bytes = (path: string): Uint8Array => readFileSync(new URL(path, ROOT));
const folders = (path: string): string[] => (present ? readdirSync(new URL(path, ROOT)).map((name) => `${path}${name}/`) : []);
const header = (path: string): SafetensorsFile => {
  const file = bytes(path);
  return parseSafetensorsHeader(file, file.length, path);
};
const configOf = (folder: string): EncoderConfig => readEncoderConfig(bytes(`${folder}config.json`));
const adapterOf = (folder: string, encoder: EncoderConfig): AdapterDescription =>
  resolveAdapter(readPeftConfig(bytes(`${folder}adapter_config.json`)), encoder, header(`${folder}adapter_model.safetensors`).tensors);
const encoders = [...folders("tiny/").filter((name) => !name.includes("adapters")), ...(present ? ["encoder/all-MiniLM-L6-v2/"] : [])];
const unsupported = ["prefix", "prefix-token", "prompt", "vera", "loha", "lokr", "adalora"];
const kinds = folders("tiny/bert-adapters/");
const kindOf = (folder: string): string => folder.split("/").at(-2) as string;

describe.skipIf(!present)("reference files (skipped: ../shared/fixtures is not there)", () => {
  it("holds what these tests were written for", () => {
    expect(encoders.length).toBe(8);
    expect(kinds.length).toBe(20);
    expect(folders("adapters/").length).toBe(6);
  });

  it.each(encoders)("resolves the encoder %s, every tensor", (folder) => {
    const file = header(`${folder}model.safetensors`);
    const { tensors, pooler } = resolveEncoderTensors(configOf(folder), file.tensors);
    expect(tensors.size).toBe(file.tensors.size);
    expect(pooler).toBe(!/distilbert|electra/.test(folder));
    expect([...file.metadata]).toEqual([["format", "pt"]]);
  });

  it("reads finite weights, F16 of the real encoder included", () => {
    const path = "encoder/all-MiniLM-L6-v2/model.safetensors";
    const file = bytes(path);
    const { tensors } = resolveEncoderTensors(configOf("encoder/all-MiniLM-L6-v2/"), header(path).tensors);
    let squares = 0;
    for (const tensor of tensors.values()) {
      for (const value of toFloat32(file.subarray(tensor.start, tensor.end), tensor.dtype as FloatDtype)) squares += value * value;
    }
    expect(Number.isFinite(squares)).toBe(true);
    expect(squares).toBeGreaterThan(1_000);
  });

  it.each(kinds.filter((folder) => !unsupported.includes(kindOf(folder))))("resolves the adapter %s, and its head has the golden number of labels", (folder) => {
    const golden = JSON.parse(new TextDecoder().decode(bytes(`${folder}golden.json`))) as { num_labels: number; task_type: string };
    const description = adapterOf(folder, configOf("tiny/bert/"));
    expect(description.head?.labels).toBe(golden.num_labels);
    expect(description.head?.kind).toBe(golden.task_type === "SEQ_CLS" ? "sequence" : "token");
  });

  it.each(kinds.filter((folder) => unsupported.includes(kindOf(folder))))("refuses %s by name", (folder) => {
    const type = (JSON.parse(new TextDecoder().decode(bytes(`${folder}adapter_config.json`))) as { peft_type: string }).peft_type;
    expectError(() => readPeftConfig(bytes(`${folder}adapter_config.json`)), "adapter-unsupported", `"${type}"`, "LORA", "IA3");
  });

  it("reads ranks, scales and layers of the real adapters", () => {
    const encoder = configOf("encoder/all-MiniLM-L6-v2/");
    const of = (name: string): AdapterDescription => adapterOf(`adapters/${name}/`, encoder);
    const scales = (name: string): number[] => [...new Set(of(name).sites.map((site) => site.scale))].sort();
    const sizes = (name: string): number[] => [of(name).sites.length, of(name).firstAdaptedLayer, of(name).head?.labels ?? 0];
    expect([scales("wikigold-lora"), sizes("wikigold-lora")]).toEqual([[2], [6, 3, 9]]);
    expect([scales("snips-slots-lora-all"), sizes("snips-slots-lora-all")]).toEqual([[2], [12, 4, 79]]);
    expect([scales("vader-dora"), sizes("vader-dora")]).toEqual([[2], [6, 4, 2]]);
    expect([scales("banking77-rslora"), sizes("banking77-rslora")]).toEqual([[4], [12, 3, 77]]);
    expect([scales("clinc150-lora-pattern"), sizes("clinc150-lora-pattern")]).toEqual([[1, 2], [4, 4, 150]]);
    expect([scales("sms-spam-ia3"), sizes("sms-spam-ia3")]).toEqual([[0], [24, 0, 2]]);
    expect(of("vader-dora").sites.every((site) => site.magnitude !== undefined)).toBe(true);
    expect(of("clinc150-lora-pattern").sites.map((site) => site.rank)).toEqual([4, 4, 16, 4]);
  });

  it("refuses the real adapters on a tiny encoder and the tiny ones on the real encoder", () => {
    for (const folder of folders("adapters/")) expect(outcome(() => adapterOf(folder, configOf("tiny/bert/")))).toBe("adapter-mismatch");
    for (const folder of kinds.filter((name) => !unsupported.includes(kindOf(name)))) {
      expect(outcome(() => adapterOf(folder, configOf("encoder/all-MiniLM-L6-v2/"))), folder).toBe("adapter-mismatch");
    }
  });

  it("refuses every prefix of a real adapter's file", () => {
    const file = bytes("tiny/bert-adapters/lora-seq/adapter_model.safetensors");
    for (let size = 0; size < file.length; size++) {
      const result = outcome(() => parseSafetensorsHeader(file.subarray(0, size), size));
      if (result !== "source-truncated") throw new Error(`${size} bytes: ${result}`);
    }
  });
});

import type { TensorToWrite } from "../../src/format/safetensors-writer.ts";
import type { Random } from "../reliability/random.ts";
import { ODD_ADAPTERS, type OddAdapter } from "../runtime/bert-odd.ts";
import { editJson, editTensors } from "../runtime/folder.ts";

export const WEIGHTS = "adapter_model.safetensors";
const MAX = 3.4028234663852886e38;

/** Numbers that float32 can hold and that no training gives: each may stand in every place of an adapter. */
export const VALUES: Record<string, (i: number, random: Random) => number> = {
  "the largest": () => MAX,
  "the largest, signs in turn": (i) => (i % 2 === 0 ? MAX : -MAX),
  "the smallest subnormal": (i) => (i % 2 === 0 ? 1.401298464324817e-45 : -1.401298464324817e-45),
  "the largest subnormal": () => 1.1754942106924411e-38,
  "zeros of both signs": (i) => (i % 2 === 0 ? 0 : -0),
  "minus zero": () => -0,
  "just below the end": () => 1.7e38,
  "any bits but NaN and infinity": (_, random) => anyFloat(random),
};

const word = new DataView(new ArrayBuffer(4));

function anyFloat(random: Random): number {
  for (;;) {
    word.setUint32(0, Math.floor(random() * 2 ** 32));
    const value = word.getFloat32(0);
    if (Number.isFinite(value)) return value;
  }
}

/** Floats as the bytes of a tensor. */
export function floatBytes(count: number, value: (i: number) => number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, i) => value(i)).buffer);
}

/** An adapter whose tensors of a kind hold nothing but such numbers. */
export function hostile(of: OddAdapter, kind: RegExp, value: (i: number) => number): Map<string, Uint8Array> {
  return editTensors(of.files, WEIGHTS, (tensor) => (kind.test(tensor.name) ? { ...tensor, dtype: "F32", data: floatBytes(sizeOf(tensor), value) } : tensor));
}

export function sizeOf({ shape }: Pick<TensorToWrite, "shape">): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The plain LoRA of the tiny encoder with another rank, its matrices filled by `value`. */
export function ofRank(rank: number, value: (i: number) => number): OddAdapter {
  const one = ODD_ADAPTERS.find(({ name }) => name === "bert-odd-seq")!;
  const resized = editTensors(one.files, WEIGHTS, (tensor) => {
    const { name, shape } = tensor;
    if (!/lora_[AB]/.test(name)) return tensor;
    const wanted = name.includes("lora_A") ? [rank, shape[1]!] : [shape[0]!, rank];
    return { name, dtype: "F32", shape: wanted, data: floatBytes(wanted[0]! * wanted[1]!, value) };
  });
  return { ...one, name: `rank-${rank}`, files: editJson(resized, "adapter_config.json", { r: rank }) };
}

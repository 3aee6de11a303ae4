/** Weights whose container is sound, and whose tensors are not what the folder's other files say. */

import type { TensorToWrite } from "../../src/format/safetensors-writer.ts";
import type { Files } from "../fuzz/micro.ts";
import { editTensors } from "../runtime/folder.ts";
import type { Attack, AttackedFile } from "./attack.ts";

type Edit = (tensor: TensorToWrite) => TensorToWrite | null;

const EXTRA: TensorToWrite = { name: "x\n\u001b[2J", dtype: "F32", shape: [1], data: new Uint8Array(4) };

function withFloat(index: number, value: number): (tensor: TensorToWrite) => TensorToWrite {
  return (tensor) => {
    const data = tensor.data.slice();
    new DataView(data.buffer).setFloat32(4 * index, value, true);
    return { ...tensor, data };
  };
}

function attacks(file: AttackedFile, folder: Files, name: string, list: readonly (readonly [what: string, tensor: RegExp, edit: Edit, code: Attack["code"], ...says: string[]])[]): Attack[] {
  return list.map(([what, pattern, edit, code, ...says]) => {
    let isDone = false;
    const files = editTensors(new Map(folder), name, (tensor) => {
      if (isDone || !pattern.test(tensor.name)) return tensor;
      isDone = true;
      return edit(tensor);
    });
    if (!isDone) throw new Error(`${what}: no tensor ${String(pattern)}`);
    return { what: `${file}: ${what}`, file, bytes: files.get(name)!, code, says };
  });
}

const extra = (file: AttackedFile, folder: Files, name: string): Attack => ({
  what: `${file}: a tensor whose name steers a terminal`, file, code: "tensor-unexpected", says: ["x\\"],
  bytes: editTensors(new Map(folder), name, (tensor) => tensor, [EXTRA]).get(name)!,
});

export function encoderWeightAttacks(folder: Files): Attack[] {
  const name = "model.safetensors";
  return [
    extra("encoder weights", folder, name),
    ...attacks("encoder weights", folder, name, [
      ["a tensor that is not there", /layer\.1\.output\.dense\.bias/, () => null, "tensor-missing", "layer.1.output.dense.bias"],
      ["a shape turned round", /intermediate\.dense\.weight/, (tensor) => ({ ...tensor, shape: tensor.shape.toReversed() }), "tensor-shape", "intermediate"],
      ["a dimension more", /pooler\.dense\.bias/, (tensor) => ({ ...tensor, shape: [...tensor.shape, 1] }), "tensor-shape", "pooler"],
      ["integers for weights", /query\.weight/, (tensor) => ({ ...tensor, dtype: "I32" }), "tensor-dtype", "I32"],
      ["NaN", /word_embeddings/, withFloat(3, NaN), "tensor-value", "word_embeddings"],
      ["infinity", /key\.weight/, withFloat(0, Infinity), "tensor-value", "key"],
      ["−infinity in a bias", /output\.LayerNorm\.bias/, withFloat(7, -Infinity), "tensor-value", "LayerNorm"],
    ]),
  ];
}

export function convertedWeightAttacks(folder: Files): Attack[] {
  const name = "model.safetensors";
  return [
    extra("converted weights", folder, name),
    ...attacks("converted weights", folder, name, [
      ["a tensor that is not there", /layer\.0\.query\.panels/, () => null, "tensor-missing", "layer.0.query.panels"],
      ["another dtype", /word\.codes/, (tensor) => ({ ...tensor, dtype: "U8" }), "tensor-dtype", "word.codes"],
      ["another shape", /embeddings\.position/, (tensor) => ({ ...tensor, shape: tensor.shape.toReversed() }), "tensor-shape", "position"],
      ["a weight of 8 bits", /layer\.1\.output\.panels/, (tensor) => ({ ...tensor, data: tensor.data.map((code, i) => (i === 5 ? code | 128 : code)) }), "tensor-value", "127"],
      ["a scale that is NaN", /word\.scales/, withFloat(2, NaN), "tensor-value", "word.scales"],
      ["an infinite scale", /query\.channels/, withFloat(0, Infinity), "tensor-value", "channels"],
      ["a scale below 0", /word\.scales/, withFloat(2, -0.01), "tensor-value", "-0.00999"],
      ["a scale of −0", /word\.scales/, withFloat(2, -0), "tensor-value", "scale"],
      ["a subnormal scale", /value\.channels/, withFloat(1, 1e-40), "tensor-value", "scale"],
      ["a factor of 0", /attention\.inputScale/, withFloat(0, 0), "tensor-value", "inputScale"],
      ["a bias that is NaN", /key\.channels/, withFloat(9, NaN), "tensor-value", "channels"],
    ]),
  ];
}

export function adapterWeightAttacks(folder: Files): Attack[] {
  const name = "adapter_model.safetensors";
  const metadata = new Map([["rootstock_encoder", `sha256:${"0".repeat(64)}`]]);
  const plain = (what: string, code: Attack["code"], bytes: Uint8Array, ...says: string[]): Attack => ({ what: `adapter weights: ${what}`, file: "adapter weights", bytes, code, says });
  const renamed = (from: string, to: string): Uint8Array =>
    editTensors(new Map(folder), name, (tensor) => ({ ...tensor, name: tensor.name.replace(from, to) })).get(name)!;
  return [
    extra("adapter weights", folder, name),
    plain("of another encoder, by its fingerprint", "adapter-mismatch", editTensors(new Map(folder), name, (tensor) => tensor, [], metadata).get(name)!, "sha256:0000"),
    plain("with a fingerprint that is none", "header-invalid", editTensors(new Map(folder), name, (tensor) => tensor, [], new Map([["rootstock_encoder", "x"]])).get(name)!, "rootstock_encoder"),
    plain("of a deeper encoder", "adapter-mismatch", renamed("layer.2.", "layer.9."), "layer 9"),
    plain("of another family", "adapter-mismatch", renamed("model.bert.", "model.roberta."), "roberta"),
    ...attacks("adapter weights", folder, name, [
      ["a matrix that is not there", /lora_B/, () => null, "tensor-missing", "lora_B"],
      ["another width", /lora_A/, (tensor) => ({ ...tensor, shape: tensor.shape.toReversed() }), "tensor-shape", "lora_A"],
      ["a head without classes", /classifier.*weight/, (tensor) => ({ ...tensor, shape: [0, tensor.shape[1]!], data: new Uint8Array(0) }), "tensor-shape", "classifier"],
      ["integers", /lora_B/, (tensor) => ({ ...tensor, dtype: "I32" }), "tensor-dtype", "I32"],
      ["NaN", /lora_B/, withFloat(0, NaN), "tensor-value", "lora_B"],
      ["infinity in the head", /classifier.*bias/, withFloat(0, Infinity), "tensor-value", "classifier"],
    ]),
  ];
}

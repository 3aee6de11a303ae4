import { describe, expect, it } from "vitest";
import { readEncoderConfig } from "../../../src/format/encoder-config.ts";
import { encoderModules, poolerModule } from "../../../src/format/encoder-modules.ts";
import { resolveEncoderTensors } from "../../../src/format/encoder-tensors.ts";
import type { EncoderConfig, TensorInfo } from "../../../src/format/types.ts";
import { bareModel, golden } from "./peft-golden.ts";
import { expectError, tensorMap } from "./crafted.ts";

const FAMILIES = ["bert", "distilbert", "roberta", "xlm-roberta", "albert", "electra"];
const configOf = (family: string): EncoderConfig => readEncoderConfig(JSON.stringify(bareModel(family).config));
const bert = configOf("bert");
const bertTensors = (change: (shapes: Map<string, readonly number[]>) => void = () => {}): Map<string, TensorInfo> => {
  const shapes = new Map<string, readonly number[]>(Object.entries(bareModel("bert").tensors));
  change(shapes);
  return tensorMap(shapes);
};
const resolve = (change: (shapes: Map<string, readonly number[]>) => void): unknown => resolveEncoderTensors(bert, bertTensors(change), "w");

describe("resolveEncoderTensors", () => {
  it.each(golden.checkpoints.map((item) => [`${item.family} ${item.class}`, item] as const))("finds the encoder in a %s checkpoint", (_name, item) => {
    const config = readEncoderConfig(JSON.stringify(item.config));
    const { tensors, pooler } = resolveEncoderTensors(config, tensorMap(Object.entries(item.tensors)));
    const expected = encoderModules(config).flatMap((module) => (module.kind === "table" ? [`${module.name}.weight`] : [`${module.name}.weight`, `${module.name}.bias`]));
    if (pooler) expected.push("pooler.weight", "pooler.bias");
    expect([...tensors.keys()]).toEqual(expected);
    expect(pooler).toBe(Object.keys(item.tensors).some((name) => /(^|\.)pooler\./.test(name)));
  });

  it("has the same number of tensors as the bare model saves", () => {
    for (const family of FAMILIES) {
      const tensors = tensorMap(Object.entries(bareModel(family).tensors));
      expect(resolveEncoderTensors(configOf(family), tensors).tensors.size).toBe(tensors.size);
    }
  });

  it("says of the converted form's names that rootstock.json belongs to them", () => {
    const converted = tensorMap([["layer.0.query.panels", [64]]]);
    expectError(() => resolveEncoderTensors(bert, converted), "tensor-missing", "rootstock.json must be beside them");
    expectError(() => resolveEncoderTensors(bert, tensorMap([])), "tensor-missing", "config.json and the weights are of one model");
  });

  it("maps canonical names to the right module, checked by hand", () => {
    const name = (family: string, canonical: string): string | undefined => resolveEncoderTensors(configOf(family), tensorMap(Object.entries(bareModel(family).tensors))).tensors.get(canonical)?.name;
    expect(name("bert", "layer.1.query.weight")).toBe("encoder.layer.1.attention.self.query.weight");
    expect(name("bert", "layer.0.attentionOutput.bias")).toBe("encoder.layer.0.attention.output.dense.bias");
    expect(name("bert", "layer.0.attentionNorm.weight")).toBe("encoder.layer.0.attention.output.LayerNorm.weight");
    expect(name("bert", "layer.0.output.weight")).toBe("encoder.layer.0.output.dense.weight");
    expect(name("bert", "layer.0.outputNorm.bias")).toBe("encoder.layer.0.output.LayerNorm.bias");
    expect(name("bert", "pooler.weight")).toBe("pooler.dense.weight");
    expect(name("distilbert", "layer.1.key.weight")).toBe("transformer.layer.1.attention.k_lin.weight");
    expect(name("distilbert", "layer.1.attentionNorm.weight")).toBe("transformer.layer.1.sa_layer_norm.weight");
    expect(name("distilbert", "layer.1.outputNorm.weight")).toBe("transformer.layer.1.output_layer_norm.weight");
    expect(name("distilbert", "layer.0.intermediate.weight")).toBe("transformer.layer.0.ffn.lin1.weight");
    expect(name("albert", "layer.0.outputNorm.weight")).toBe("encoder.albert_layer_groups.0.albert_layers.0.full_layer_layer_norm.weight");
    expect(name("albert", "layer.0.attentionNorm.weight")).toBe("encoder.albert_layer_groups.0.albert_layers.0.attention.LayerNorm.weight");
    expect(name("albert", "embeddings.projection.weight")).toBe("encoder.embedding_hidden_mapping_in.weight");
    expect(name("albert", "pooler.weight")).toBe("pooler.weight");
    expect(name("electra", "embeddings.projection.bias")).toBe("embeddings_project.bias");
    expect(name("roberta", "embeddings.type.weight")).toBe("embeddings.token_type_embeddings.weight");
  });

  it("takes position buffers, TensorFlow's LayerNorm names and narrow floats", () => {
    resolve((shapes) => shapes.set("embeddings.position_ids", [1, 16]));
    const renamed = tensorMap([...bertTensors()].map(([name, { shape }]) => [`bert.${name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")}`, shape] as const));
    expect(resolveEncoderTensors(bert, renamed).tensors.get("embeddings.norm.weight")?.name).toBe("bert.embeddings.LayerNorm.gamma");
    const buffered = new Map([...renamed, ...tensorMap([["bert.embeddings.position_ids", [1, 16]], ["bert.embeddings.token_type_ids", [1, 16]], ["cls.predictions.bias", [20]]])]);
    expect(resolveEncoderTensors(bert, buffered).tensors.size).toBe(renamed.size);
    for (const dtype of ["F16", "BF16"] as const) {
      const narrow = tensorMap([...bertTensors()].map(([name, { shape }]) => [name, shape] as const), dtype);
      expect(resolveEncoderTensors(bert, narrow).tensors.get("pooler.bias")?.dtype).toBe(dtype);
    }
  });

  it("does without a pooler, but not with half of one", () => {
    expect(resolveEncoderTensors(bert, bertTensors((shapes) => (shapes.delete("pooler.dense.weight"), shapes.delete("pooler.dense.bias")))).pooler).toBe(false);
    expectError(() => resolve((shapes) => shapes.delete("pooler.dense.bias")), "tensor-missing", "pooler.dense.bias");
    expect(poolerModule(configOf("distilbert"))).toBeNull();
    expect(poolerModule(configOf("electra"))).toBeNull();
  });

  it("refuses each missing tensor by name", () => {
    for (const name of bertTensors().keys()) {
      if (!name.startsWith("pooler")) expectError(() => resolve((shapes) => shapes.delete(name)), "tensor-missing", "w:", name);
    }
  });

  it("refuses what it cannot account for", () => {
    for (const name of ["extra", "encoder.layer.2.attention.self.query.weight", "encoder.layer.0.adapter.weight", "encoder.layer.0.attention.self.distance_embedding.weight", "roberta.encoder.x", "embeddings.position_ids.weight", "LayerNorm.gamma"]) {
      expectError(() => resolve((shapes) => shapes.set(name, [1])), "tensor-unexpected", name);
    }
    const prefixed = tensorMap([...bertTensors()].map(([name, { shape }]) => [`bert.${name}`, shape] as const));
    for (const name of ["bert.extra", "bert.encoder.layer.2.attention.self.query.weight", "bert.classifier.weight"]) {
      expectError(() => resolveEncoderTensors(bert, new Map([...prefixed, ...tensorMap([[name, [1]]])])), "tensor-unexpected", name);
    }
    // Two encoders in one file.
    expectError(() => resolveEncoderTensors(bert, new Map([...prefixed, ...bertTensors()])), "tensor-unexpected", "bert.");
    expectError(() => resolve((shapes) => (shapes.set("bert.embeddings.x", [1]))), "tensor-unexpected");
    expectError(() => resolve((shapes) => shapes.set("embeddings.LayerNorm.gamma", [8])), "tensor-unexpected", "twice");
  });

  it("passes over whatever is outside of the class's prefix, as transformers does", () => {
    const prefixed = tensorMap([...bertTensors()].map(([name, { shape }]) => [`bert.${name}`, shape] as const));
    for (const name of ["linear.weight", "crf.transitions", "fc.0.bias", "score.weight", "x", "encoder.x", "roberta.embeddings.word_embeddings.weight"]) {
      const found = resolveEncoderTensors(bert, new Map([...prefixed, ...tensorMap([[name, [1]]], "I64")]));
      expect([...found.tensors.values()].map((tensor) => tensor.name).sort(), name).toEqual([...prefixed.keys()].sort());
    }
    expectError(() => resolve((shapes) => shapes.set("linear.weight", [1])), "tensor-unexpected", "linear.weight");
  });

  it("refuses each wrong shape and every dtype that is no float", () => {
    for (const [name, { shape }] of bertTensors()) {
      expectError(() => resolve((shapes) => shapes.set(name, [...shape, 1])), "tensor-shape", name);
      expectError(() => resolve((shapes) => shapes.set(name, [(shape[0] as number) + 1, ...shape.slice(1)])), "tensor-shape", name);
      if (shape.length === 2) expectError(() => resolve((shapes) => shapes.set(name, [shape[1] as number, (shape[0] as number) + 1])), "tensor-shape", name);
    }
    const tensors = bertTensors();
    for (const dtype of ["U8", "I8", "I32", "F64", "I64", "BOOL"] as const) {
      const word = tensors.get("embeddings.word_embeddings.weight") as TensorInfo;
      expectError(() => resolveEncoderTensors(bert, new Map([...tensors, [word.name, { ...word, dtype }]])), "tensor-dtype", dtype, "F32, F16 or BF16");
    }
  });

  it("refuses the weights of another family", () => {
    const others = [["distilbert", "tensor-missing"], ["roberta", "tensor-shape"], ["xlm-roberta", "tensor-shape"], ["albert", "tensor-shape"], ["electra", "tensor-shape"]] as const;
    for (const [family, code] of others) expectError(() => resolveEncoderTensors(bert, tensorMap(Object.entries(bareModel(family).tensors))), code);
  });
});

import { describe, expect, it } from "vitest";
import { readEncoderConfig } from "../../../src/format/encoder-config.ts";
import { bareModel, golden } from "./peft-golden.ts";
import { seeded } from "../../reliability/random.ts";
import { expectError, outcome } from "./crafted.ts";

type Plain = Record<string, unknown>;
const base = (family: string): Plain => bareModel(family).config;
const read = (family: string, change: Plain = {}): ReturnType<typeof readEncoderConfig> => readEncoderConfig(JSON.stringify({ ...base(family), ...change }));
const without = (family: string, key: string): string => JSON.stringify(Object.fromEntries(Object.entries(base(family)).filter(([name]) => name !== key)));
const FAMILIES = ["bert", "distilbert", "roberta", "xlm-roberta", "albert", "electra"];

describe("readEncoderConfig", () => {
  it("reads every family as transformers saves it", () => {
    const common = { layers: 2, storedLayers: 2, hidden: 8, heads: 2, headSize: 4, intermediate: 12, vocabulary: 20, maxPositions: 16, positionOffset: 0, typeVocabulary: 2, embeddingSize: 8, projection: false, activation: "gelu", epsilon: 1e-12, padId: 0 };
    expect(read("bert")).toMatchObject({ ...common, family: "bert" });
    expect(read("distilbert")).toMatchObject({ ...common, family: "distilbert", typeVocabulary: 0 });
    expect(read("roberta")).toMatchObject({ ...common, family: "roberta", maxPositions: 14, positionOffset: 2, padId: 1, typeVocabulary: 1 });
    expect(read("xlm-roberta")).toMatchObject({ ...common, family: "xlm-roberta", maxPositions: 14, positionOffset: 2, padId: 1, typeVocabulary: 1 });
    expect(read("albert")).toMatchObject({ ...common, family: "albert", storedLayers: 1, embeddingSize: 6, projection: true, activation: "gelu-tanh" });
    expect(read("electra")).toMatchObject({ ...common, family: "electra", embeddingSize: 6, projection: true });
  });

  it("reads the config of every task class of every family", () => {
    for (const { config } of golden.checkpoints) expect(outcome(() => readEncoderConfig(JSON.stringify(config)))).toBe("accepted");
  });

  it("projects ELECTRA only where the widths differ, ALBERT always", () => {
    expect(read("electra", { embedding_size: 8 }).projection).toBe(false);
    expect(read("albert", { embedding_size: 8 }).projection).toBe(true);
  });

  it("knows the names of the activations", () => {
    for (const name of ["gelu", "gelu_python"]) expect(read("bert", { hidden_act: name }).activation).toBe("gelu");
    for (const name of ["gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate"]) expect(read("bert", { hidden_act: name }).activation).toBe("gelu-tanh");
    expect(read("distilbert", { activation: "relu" }).activation).toBe("relu");
    for (const bad of ["silu", "gelu_10", "relu6", "constructor", 1, {}]) expectError(() => read("bert", { hidden_act: bad }), "config-invalid", "hidden_act", "gelu");
  });

  it("takes transformers' defaults for what is absent or null", () => {
    expect(readEncoderConfig(without("bert", "hidden_act")).activation).toBe("gelu");
    expect(readEncoderConfig(without("albert", "hidden_act")).activation).toBe("gelu-tanh");
    expect(readEncoderConfig(without("bert", "layer_norm_eps")).epsilon).toBe(1e-12);
    expect(readEncoderConfig(without("bert", "type_vocab_size")).typeVocabulary).toBe(2);
    expect(read("bert", { pad_token_id: null }).padId).toBe(0);
    expect(read("roberta", { pad_token_id: null }).positionOffset).toBe(2);
    expect(read("distilbert", { layer_norm_eps: 0.5 }).epsilon).toBe(1e-12);
  });

  it("ignores labels and a problem type, whatever they are: an encoder has no use for them", () => {
    const plain = read("bert", {});
    for (const odd of [{ id2label: { 5: "a" } }, { id2label: { 0: 1, 1: null } }, { id2label: "x" }, { problem_type: "ranking" }, { problem_type: 1 }]) expect(read("bert", odd)).toEqual(plain);
  });

  it("refuses other families by name", () => {
    for (const type of ["gpt2", "deberta-v2", "camembert", "Bert", "constructor"]) expectError(() => read("bert", { model_type: type }), "family-unsupported", type, FAMILIES.join(", "));
    for (const type of [undefined, null, 5]) expectError(() => read("bert", { model_type: type }), "family-unsupported", "missing");
  });

  it("refuses what would silently change the maths, and takes the harmless spelling of it", () => {
    const refused: [string, Plain, string][] = [
      ["bert", { position_embedding_type: "relative_key" }, "position_embedding_type"],
      ["bert", { is_decoder: true }, "is_decoder"],
      ["roberta", { add_cross_attention: true }, "add_cross_attention"],
      ["bert", { is_encoder_decoder: 1 }, "is_encoder_decoder"],
      ["bert", { pruned_heads: { 0: [1] } }, "pruned_heads"],
      ["bert", { pruned_heads: [1] }, "pruned_heads"],
      ["bert", { quantization_config: { bits: 4 } }, "quantization_config"],
      ["bert", { embedding_size: 4 }, "embedding_size"],
      ["roberta", { embedding_size: 4 }, "embedding_size"],
      ["albert", { num_hidden_groups: 2 }, "num_hidden_groups"],
      ["albert", { inner_group_num: 2 }, "inner_group_num"],
    ];
    for (const [family, change, word] of refused) expectError(() => read(family, change), "config-invalid", word);
    for (const change of [{ position_embedding_type: "absolute" }, { is_decoder: false }, { pruned_heads: {} }, { embedding_size: 8 }, { quantization_config: null }]) {
      expect(outcome(() => read("bert", change))).toBe("accepted");
    }
    expect(outcome(() => read("distilbert", { sinusoidal_pos_embds: true }))).toBe("accepted");
    expect(outcome(() => readEncoderConfig(without("albert", "num_hidden_groups")))).toBe("accepted");
  });

  it("refuses each size that is missing, of a wrong kind or out of range", () => {
    const names: Record<string, [string, number][]> = {
      bert: [["hidden_size", 65_536], ["num_hidden_layers", 128], ["num_attention_heads", 8], ["intermediate_size", 65_536], ["vocab_size", 2 ** 24], ["max_position_embeddings", 2 ** 24]],
      distilbert: [["dim", 65_536], ["n_layers", 128], ["n_heads", 8], ["hidden_dim", 65_536]],
      electra: [["embedding_size", 65_536]],
    };
    for (const [family, fields] of Object.entries(names)) {
      for (const [name, max] of fields) {
        expectError(() => readEncoderConfig(without(family, name)), "config-invalid", name);
        for (const bad of [0, -1, 1.5, "8", null, max + 1, 2 ** 53]) expectError(() => read(family, { [name]: bad }), "config-invalid", name);
      }
    }
    for (const bad of [0, -1, 1.5, "2"]) expectError(() => read("bert", { type_vocab_size: bad }), "config-invalid", "type_vocab_size");
    for (const bad of [-1, 20, 0.5, "0"]) expectError(() => read("bert", { pad_token_id: bad }), "config-invalid", "pad_token_id");
    for (const bad of [0, -1, 2, "1e-12"]) expectError(() => read("bert", { layer_norm_eps: bad }), "config-invalid", "layer_norm_eps");
    expectError(() => read("bert", { num_attention_heads: 3 }), "config-invalid", "not a multiple");
    expectError(() => read("roberta", { max_position_embeddings: 2 }), "config-invalid", "max_position_embeddings");
    expect(read("roberta", { max_position_embeddings: 3 }).maxPositions).toBe(1);
    expectError(() => readEncoderConfig('{"model_type":"bert","hidden_size":1e400}'), "config-invalid", "hidden_size");
  });

  it("refuses what is no object", () => {
    for (const text of ["[]", "null", '"bert"']) expectError(() => readEncoderConfig(text), "config-invalid", "an object");
    expectError(() => readEncoderConfig("{"), "json-invalid");
  });

  it("ends in accepted or a listed code for 3,000 mutants", () => {
    const random = seeded(11);
    const listed = new Set(["accepted", "json-invalid", "config-invalid", "family-unsupported", "limit-exceeded"]);
    for (let i = 0; i < 3_000; i++) {
      const bytes = new TextEncoder().encode(JSON.stringify(base(FAMILIES[i % 6] as string)));
      for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) bytes[Math.floor(random() * bytes.length)] = 0x20 + Math.floor(random() * 95);
      expect(listed).toContain(outcome(() => readEncoderConfig(bytes)));
    }
  });
});

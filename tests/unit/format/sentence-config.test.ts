import { describe, expect, it } from "vitest";
import { place } from "../../../src/format/json.ts";
import { readModelMaxLength, readModules, readPooling, readSentenceBert, readSentenceConfig, sentenceFiles } from "../../../src/format/sentence-config.ts";
import { expectError } from "./crafted.ts";

const modulesOf = (...types: string[]): string => JSON.stringify(types.map((type, idx) => ({ idx, name: String(idx), path: idx === 0 ? "" : `${idx}_${type.split(".").at(-1)!}`, type })));
const own = (...names: string[]): string => modulesOf(...names.map((name) => `sentence_transformers.models.${name}`));
const pooling = (fields: object): string => readPooling(JSON.stringify(fields), "1_Pooling/config.json");

describe("modules.json", () => {
  it("leads to the Pooling's file, with Normalize and Dropout behind it or without", () => {
    for (const names of [["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"], ["Transformer", "Pooling", "Dropout", "Normalize"]]) {
      expect(readModules(own(...names))).toEqual({ poolingFile: "1_Pooling/config.json" });
    }
    const moved = modulesOf("sentence_transformers.base.modules.transformer.Transformer", "sentence_transformers.sentence_transformer.modules.pooling.Pooling");
    expect(readModules(moved)).toEqual({ poolingFile: "1_Pooling/config.json" });
  });

  it("names a module that is not followed", () => {
    const odd = (text: string): unknown => readModules(text);
    expect(odd(own("Transformer", "Pooling", "Dense", "Normalize"))).toEqual({ unsupported: 'the module "Dense" of modules.json' });
    expect(odd(own("Transformer", "WeightedLayerPooling"))).toEqual({ unsupported: 'the module "WeightedLayerPooling" of modules.json' });
    expect(odd(own("CLIPModel"))).toEqual({ unsupported: 'the module "CLIPModel" of modules.json' });
    expect(odd(modulesOf("custom_st.Transformer", "sentence_transformers.models.Pooling"))).toEqual({ unsupported: 'the module "custom_st.Transformer" of modules.json' });
    expect(odd(own("Transformer"))).toEqual({ unsupported: "modules.json without a Pooling" });
    expect(odd("[]")).toEqual({ unsupported: "modules.json without a Pooling" });
    expect(odd(own("Transformer", "Pooling").replace('"path":""', '"path":"0_Transformer"'))).toEqual({ unsupported: "the Transformer of modules.json in a folder of its own" });
  });
});

describe("the Pooling's config.json", () => {
  it("has a flag for each mode, or its name", () => {
    expect(pooling({ word_embedding_dimension: 8, pooling_mode_cls_token: true, pooling_mode_mean_tokens: false })).toBe("cls");
    expect(pooling({ pooling_mode_cls_token: false, pooling_mode_mean_tokens: true, include_prompt: true })).toBe("mean");
    expect(pooling({ embedding_dimension: 8, pooling_mode: "cls" })).toBe("cls");
    expect(pooling({ pooling_mode: ["mean"], pooling_mode_cls_token: true })).toBe("mean");
    expect(pooling({ pooling_mode: null })).toBe("mean");
    expect(pooling({})).toBe("mean");
    expect(pooling({ pooling_mode_cls_token: null, pooling_mode_mean_tokens: false })).toBe("mean");
  });

  it("names a mode that is not supported", () => {
    expect(pooling({ pooling_mode_max_tokens: true })).toBe('the pooling "max" of 1_Pooling/config.json');
    expect(pooling({ pooling_mode_cls_token: true, pooling_mode_mean_tokens: true })).toBe('the pooling "cls + mean" of 1_Pooling/config.json');
    expect(pooling({ pooling_mode_lasttoken: true })).toContain('"lasttoken"');
    expect(pooling({ pooling_mode_weightedmean_tokens: true })).toContain('"weightedmean"');
    expect(pooling({ pooling_mode_mean_sqrt_len_tokens: true })).toContain('"mean_sqrt_len_tokens"');
    expect(pooling({ pooling_mode: "constructor" })).toContain('"constructor"');
    expect(pooling({ pooling_mode: [] })).toContain('""');
  });
});

describe("lengths", () => {
  it("are max_seq_length of sentence_bert_config.json, or model_max_length of tokenizer_config.json", () => {
    expect(readSentenceBert('{"max_seq_length":256,"do_lower_case":false}')).toEqual({ maxTokens: 256 });
    expect(readSentenceBert('{"max_seq_length":null,"do_lower_case":true}')).toEqual({ lowerCase: true });
    expect(readSentenceBert("{}")).toEqual({});
    expect(readModelMaxLength('{"model_max_length":128}')).toEqual({ maxTokens: 128 });
    expect(readModelMaxLength('{"model_max_length":1000000000000000019884624838656}')).toEqual({});
    for (const none of ["null", "0", "-1", "2"]) expect(readModelMaxLength(`{"model_max_length":${none}}`)).toEqual({});
    expectError(() => readModelMaxLength('{"model_max_length":7.5}'), "config-invalid", "model_max_length");
    expectError(() => readModelMaxLength('{"model_max_length":"512"}'), "config-invalid", "model_max_length");
  });
});

describe("rootstock.json's record", () => {
  const read = (value: unknown): unknown => readSentenceConfig(value, place("rootstock.json: sentence"));

  it("is read as it was written", () => {
    for (const config of [{ pooling: "mean" }, { pooling: "cls", maxTokens: 512, lowerCase: true }, { pooling: 'the module "Dense" of modules.json', maxTokens: 3 }]) {
      expect(read(JSON.parse(JSON.stringify(config)))).toEqual(config);
    }
    for (const wrong of [[], {}, { pooling: 1 }, { pooling: "cls", maxTokens: 2 }, { pooling: "cls", lowerCase: "no" }]) expectError(() => read(wrong), "json-invalid", "sentence");
  });

  it("becomes files of sentence-transformers that say the same", () => {
    for (const config of [{ pooling: "mean", maxTokens: 256 }, { pooling: "cls", lowerCase: true }]) {
      const files = sentenceFiles(config, 8);
      const modules = readModules(files.get("modules.json")!);
      expect(modules).toEqual({ poolingFile: "1_Pooling/config.json" });
      expect({ pooling: readPooling(files.get("1_Pooling/config.json")!, "x"), ...readSentenceBert(files.get("sentence_bert_config.json")!) }).toEqual(config);
    }
    const unknown = sentenceFiles({ pooling: 'the pooling "max" of 1_Pooling/config.json' }, 8);
    expect([...unknown.keys()]).toEqual(["modules.json", "sentence_bert_config.json"]);
    expect(readModules(unknown.get("modules.json")!)).toEqual({ unsupported: "modules.json without a Pooling" });
  });
});

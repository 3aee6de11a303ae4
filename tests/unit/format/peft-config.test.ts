import { describe, expect, it } from "vitest";
import { readPeftConfig, type Ia3Config, type LoraConfig } from "../../../src/format/peft-config.ts";
import { golden } from "./peft-golden.ts";
import { seeded } from "../../reliability/random.ts";
import { expectError, outcome } from "./crafted.ts";

type Plain = Record<string, unknown>;
const LORA = { peft_type: "LORA", task_type: "SEQ_CLS", r: 4, lora_alpha: 8, target_modules: ["query", "value"] };
const IA3 = { peft_type: "IA3", task_type: "TOKEN_CLS", target_modules: ["key"], feedforward_modules: [] };
const lora = (change: Plain = {}): LoraConfig => readPeftConfig(JSON.stringify({ ...LORA, ...change })) as LoraConfig;
const ia3 = (change: Plain = {}): Ia3Config => readPeftConfig(JSON.stringify({ ...IA3, ...change })) as Ia3Config;

describe("readPeftConfig", () => {
  it("reads a plain LoRA and fills in PEFT's defaults", () => {
    expect(lora()).toEqual({
      kind: "lora", task: "sequence", targets: { list: ["query", "value"] }, exclude: null, modulesToSave: [], rank: 4, alpha: 8, rankPattern: new Map(), alphaPattern: new Map(),
      rsLora: false, dora: false, bias: "none", loraBias: false, layers: null, layersPattern: [],
    });
    expect(readPeftConfig('{"peft_type":"LORA"}')).toMatchObject({ rank: 8, alpha: 8, task: null, targets: null });
  });

  it("reads every field that changes the maths", () => {
    expect(lora({ use_rslora: true, use_dora: true })).toMatchObject({ rsLora: true, dora: true });
    expect(lora({ bias: "all", lora_bias: true })).toMatchObject({ bias: "all", loraBias: true });
    expect(lora({ bias: "lora_only" }).bias).toBe("lora_only");
    expect([...lora({ rank_pattern: { b: 2, a: 1 }, alpha_pattern: { x: 0.5 } }).rankPattern]).toEqual([["b", 2], ["a", 1]]);
    expect(lora({ alpha_pattern: { x: 0.5 } }).alphaPattern.get("x")).toBe(0.5);
    expect(lora({ layers_to_transform: 3 })).toMatchObject({ layers: [3], layersPattern: [] });
    expect(lora({ layers_to_transform: [1, 2], layers_pattern: "layer" })).toMatchObject({ layers: [1, 2], layersPattern: ["layer"] });
    expect(lora({ layers_to_transform: [1], layers_pattern: ["layer", "layers"] }).layersPattern).toEqual(["layer", "layers"]);
    expect(lora({ layers_to_transform: [1], layers_pattern: "" }).layersPattern).toEqual([]);
    expect(lora({ layers_to_transform: [], layers_pattern: "layer" }).layers).toBeNull();
    expect(lora({ target_modules: ".*query" }).targets).toEqual({ regex: ".*query" });
    for (const name of ["all-linear", "ALL-Linear"]) expect(lora({ target_modules: name }).targets).toBe("all-linear");
    expect(lora({ exclude_modules: ["a"] }).exclude).toEqual({ list: ["a"] });
    expect(lora({ exclude_modules: "a.*" }).exclude).toEqual({ regex: "a.*" });
    for (const none of [null, [], ""]) expect(lora({ exclude_modules: none }).exclude).toBeNull();
    expect(lora({ modules_to_save: ["classifier", "score"] }).modulesToSave).toEqual(["classifier", "score"]);
    expect(lora({ task_type: "TOKEN_CLS" }).task).toBe("token");
    for (const none of [null, "FEATURE_EXTRACTION"]) expect(lora({ task_type: none }).task).toBeNull();
  });

  it("takes any alpha, ranks of patterns and layers that may match nothing, and merge_weights, as PEFT does", () => {
    expect(lora({ lora_alpha: -16, alpha_pattern: { a: 0, b: 1e-9 } })).toMatchObject({ alpha: -16, alphaPattern: new Map([["a", 0], ["b", 1e-9]]) });
    expect(lora({ rank_pattern: { a: 0, b: -1 } }).rankPattern).toEqual(new Map([["a", 0], ["b", -1]]));
    expect(lora({ layers_to_transform: [0, 128, 9_000, -1] }).layers).toEqual([0, 128, 9_000, -1]);
    expect(lora({ layers_to_transform: -1 }).layers).toEqual([-1]);
    expect(lora({ merge_weights: true })).toEqual(lora());
  });

  it("reads (IA)³", () => {
    expect(ia3()).toEqual({ kind: "ia3", task: "token", targets: { list: ["key"] }, exclude: null, modulesToSave: [], feedforward: { list: [] } });
    expect(ia3({ feedforward_modules: "x.*" }).feedforward).toEqual({ regex: "x.*" });
    expect(ia3({ feedforward_modules: null }).feedforward).toBeNull();
  });

  it("reads what PEFT saves", () => {
    for (const { config } of golden.cases) expect(outcome(() => readPeftConfig(JSON.stringify(config)))).toBe("accepted");
  });

  it("refuses other methods by name and says what is supported", () => {
    for (const type of ["PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING", "VERA", "LOHA", "LOKR", "ADALORA", "LN_TUNING", "OFT", "BOFT", "XLORA", "DELORA", "lora", "SOMETHING_NEW"]) {
      expectError(() => readPeftConfig(JSON.stringify({ ...LORA, peft_type: type })), "adapter-unsupported", type, "supported are LORA", "IA3");
    }
    for (const type of [null, 1, undefined]) expectError(() => readPeftConfig(JSON.stringify({ ...LORA, peft_type: type })), "adapter-unsupported", "peft_type is missing");
    for (const task of ["CAUSAL_LM", "QUESTION_ANS", "SEQ_2_SEQ_LM"]) expectError(() => lora({ task_type: task }), "adapter-unsupported", task, "TOKEN_CLS");
    expectError(() => lora({ task_type: 1 }), "adapter-unsupported", "task_type");
  });

  it("refuses initialisations that changed the base", () => {
    for (const init of ["pissa", "pissa_niter_16", "corda", "olora", "lora_ga", "PiSSA"]) {
      expectError(() => lora({ init_lora_weights: init }), "adapter-unsupported", init, "path_initial_model_for_weight_conversion", "supported are");
      expectError(() => lora({ init_lora_weights: init, use_rslora: true, alpha_pattern: { a: 1 } }), "adapter-unsupported", init, "train it with", "supported are");
      expectError(() => lora({ init_lora_weights: init, use_rslora: true, rank_pattern: {} }), "adapter-unsupported", "path_initial_model_for_weight_conversion");
    }
    for (const init of ["loftq", "something"]) expectError(() => lora({ init_lora_weights: init }), "adapter-unsupported", init, "train it with init_lora_weights true", "supported are");
    expectError(() => lora({ init_lora_weights: 5 }), "adapter-unsupported", "init_lora_weights of a wrong kind", "train it with");
    for (const init of [true, false, null, "gaussian", "orthogonal", "eva", "mica", "MiCA", "True", "False"]) expect(outcome(() => lora({ init_lora_weights: init }))).toBe("accepted");
  });

  it("refuses fields in use that change the forward pass, and any it does not know", () => {
    const active: Plain = {
      trainable_token_indices: [1], target_parameters: ["w"], layer_replication: [[0, 1]], alora_invocation_tokens: [1], use_qalora: true, use_bdlora: { nblocks: 2 },
      arrow_config: { top_k: 1 }, kasa_config: { beta: 1 }, velora_config: { scale: 1 }, monteclora_config: { num_samples: 1 }, megatron_config: { a: 1 }, field_of_tomorrow: 0, another: "x",
    };
    for (const [key, value] of Object.entries(active)) {
      expectError(() => lora({ [key]: value }), "adapter-unsupported", `"${key}"`, "supported are");
      for (const off of [null, false, {}, [], ""]) expect(outcome(() => lora({ [key]: off }))).toBe("accepted");
    }
    expectError(() => ia3({ use_dora: true }), "adapter-unsupported", "use_dora");
    expect(outcome(() => readPeftConfig('{"peft_type":"LORA","__proto__":{"use_dora":true}}'))).toBe("adapter-unsupported");
  });

  it("ignores what concerns training only", () => {
    const training = { lora_dropout: 0.5, eva_config: { rho: 2 }, corda_config: { a: 1 }, lora_ga_config: { a: 1 }, loftq_config: { a: 1 }, megatron_core: "x", qalora_group_size: 16, ensure_weight_tying: true, runtime_config: { a: 1 }, fan_in_fan_out: true, peft_version: "9", revision: "main", auto_mapping: { a: 1 }, base_model_name_or_path: "x", inference_mode: false };
    expect(lora(training)).toEqual(lora());
    expect(ia3({ fan_in_fan_out: true, init_ia3_weights: false })).toEqual(ia3());
  });

  const wrong: [string, Plain][] = [
    ["r", { r: 0 }], ["r", { r: 1.5 }], ["r", { r: "4" }], ["r", { r: 4_097 }],
    ["lora_alpha", { lora_alpha: "8" }], ["lora_alpha", { lora_alpha: 1e9 }], ["lora_alpha", { lora_alpha: -1e9 }],
    ["rank_pattern", { rank_pattern: [] }], ["rank_pattern: a", { rank_pattern: { a: 0.5 } }], ["alpha_pattern: a", { alpha_pattern: { a: null } }],
    ["use_rslora", { use_rslora: 1 }], ["use_dora", { use_dora: "yes" }], ["lora_bias", { lora_bias: 0 }], ["bias", { bias: "some" }],
    ["layers_to_transform: 1", { layers_to_transform: [1, 0.5] }], ["layers_to_transform", { layers_to_transform: "1" }],
    ["layers_pattern", { layers_to_transform: [1], layers_pattern: 5 }],
    ["target_modules", { target_modules: 5 }], ["target_modules: 0", { target_modules: [5] }], ["target_modules: 0", { target_modules: [""] }], ["target_modules", { target_modules: {} }],
    ["exclude_modules", { exclude_modules: 5 }], ["modules_to_save", { modules_to_save: "classifier" }], ["modules_to_save: 0", { modules_to_save: [null] }],
  ];
  it.each(wrong)("refuses a wrong %s %j", (word, change) => {
    expectError(() => lora(change), "config-invalid", `adapter_config.json: ${word}`);
  });

  it("refuses combinations that PEFT cannot have written", () => {
    expectError(() => lora({ target_modules: "a.*", layers_to_transform: [1] }), "config-invalid", "as a list");
    expectError(() => lora({ target_modules: "all-linear", layers_to_transform: [1] }), "config-invalid", "as a list");
    expectError(() => lora({ layers_pattern: "layer" }), "config-invalid", "layers_to_transform");
    expectError(() => lora({ use_dora: true, lora_bias: true }), "config-invalid", "exclude each other");
    const many = Object.fromEntries(Array.from({ length: 4_097 }, (_, i) => [`m${i}`, 1]));
    expectError(() => lora({ rank_pattern: many }), "limit-exceeded", "4096");
  });

  it("refuses JSON traps", () => {
    expectError(() => readPeftConfig('{"peft_type":"LORA","r":4,"r":8}'), "json-invalid", "twice");
    expectError(() => readPeftConfig('{"peft_type":"LORA","lora_alpha":1e400}'), "config-invalid", "lora_alpha");
    expectError(() => readPeftConfig("[]"), "config-invalid", "an object");
  });

  it("ends in accepted or a listed code for 3,000 mutants", () => {
    const random = seeded(5);
    const listed = new Set(["accepted", "json-invalid", "config-invalid", "adapter-unsupported", "limit-exceeded"]);
    for (let i = 0; i < 3_000; i++) {
      const bytes = new TextEncoder().encode(JSON.stringify((golden.cases[i % golden.cases.length] as { config: Plain }).config));
      for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) bytes[Math.floor(random() * bytes.length)] = 0x20 + Math.floor(random() * 95);
      expect(listed).toContain(outcome(() => readPeftConfig(bytes)));
    }
  });
});

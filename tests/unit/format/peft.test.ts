import { describe, expect, it } from "vitest";
import { readEncoderConfig } from "../../../src/format/encoder-config.ts";
import { allModules } from "../../../src/format/encoder-modules.ts";
import { resolveAdapter } from "../../../src/format/peft.ts";
import { readPeftConfig } from "../../../src/format/peft-config.ts";
import type { AdapterDescription, EncoderConfig, TensorInfo } from "../../../src/format/types.ts";
import { bareModel, golden, type PeftCase } from "./peft-golden.ts";
import { seeded } from "../../reliability/random.ts";
import { expectError, outcome, tensorMap } from "./crafted.ts";

const encoderOf = (family: string, change: object = {}): EncoderConfig => readEncoderConfig(JSON.stringify({ ...bareModel(family).config, ...change }));
const caseOf = (family: string, task: string, variant: string): PeftCase => {
  const found = golden.cases.find((item) => item.family === family && item.class === task && item.variant === variant);
  if (found === undefined) throw new Error(`no case ${family} ${task} ${variant}`);
  return found;
};

interface Change {
  config?: object;
  encoder?: object;
  tensors?: (shapes: Map<string, readonly number[]>) => void;
  dtype?: "F32" | "F16" | "I8";
}
function resolve(item: PeftCase, change: Change = {}): AdapterDescription {
  const shapes = new Map<string, readonly number[]>(Object.entries(item.tensors));
  change.tensors?.(shapes);
  const config = readPeftConfig(JSON.stringify({ ...item.config, ...change.config }));
  return resolveAdapter(config, encoderOf(item.family, change.encoder), tensorMap(shapes, change.dtype ?? "F32"), "a.safetensors");
}

/** Adapted modules of a description by module path, in the form of the golden file. */
function adapted(item: PeftCase, description: AdapterDescription): Record<string, unknown> {
  const encoder = encoderOf(item.family);
  const modules = allModules(encoder);
  const prefix = item.class === "Model" ? "" : `${item.family === "xlm-roberta" ? "roberta" : item.family}.`;
  const pathOf = (part: string, layer: number | null): string =>
    prefix + (modules.find((module) => (module.kind === "table" ? module.part === part && layer === null : module.site.part === part && module.site.layer === layer))?.path ?? "?");
  const found: Record<string, unknown> = {};
  for (const { site, rank, scale, inputScale, outputScale } of description.sites) {
    if (rank > 0) found[pathOf(site.part, site.layer)] = [rank, scale];
    if (inputScale !== undefined) found[pathOf(site.part, site.layer)] = "feedforward";
    if (outputScale !== undefined) found[pathOf(site.part, site.layer)] = "output";
  }
  for (const { part, rank, scale } of description.embeddingSites) found[pathOf(part, null)] = [rank, scale];
  return found;
}

describe("resolveAdapter on what PEFT saves", () => {
  it.each(golden.cases.map((item) => [`${item.family} ${item.class} ${item.variant}`, item] as const))("%s: the same modules, ranks and scales", (_name, item) => {
    const description = resolve(item);
    expect(adapted(item, description)).toEqual(item.modules);
    const task = item.class === "Model" ? undefined : item.class === "ForTokenClassification" ? "token" : "sequence";
    expect(description.head?.kind).toBe(task);
    if (task !== undefined) expect(description.head?.labels).toBe(3);
    const used = JSON.stringify(description);
    for (const name of Object.keys(item.tensors)) {
      if (!/\.(modules_to_save|original_module)\./.test(name)) expect(used, name).toContain(JSON.stringify(name));
    }
  });

  it("puts each tensor in its place: DoRA, lora_bias, biases, (IA)³", () => {
    const site = (variant: string): Record<string, unknown> => {
      const { sites } = resolve(caseOf("bert", "ForSequenceClassification", variant));
      const { site: place, rank, scale, ...tensors } = sites.find((item) => item.site.layer === 1 && item.site.part === "value") as (typeof sites)[number];
      return { ...place, rank, scale, ...Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, (tensor as TensorInfo).name.split("value.")[1]])) };
    };
    const plain = { layer: 1, part: "value", rank: 2, scale: 1.5, down: "lora_A.weight", up: "lora_B.weight" };
    expect(site("default")).toEqual(plain);
    expect(site("lora-bias")).toEqual({ ...plain, upBias: "lora_B.bias" });
    expect(site("bias-lora-only")).toEqual({ ...plain, bias: "base_layer.bias" });
    expect(site("bias-all")).toEqual({ ...plain, bias: "base_layer.bias" });
    expect(site("rslora-dora")).toEqual({ ...plain, rank: 4, scale: 1.5, magnitude: "lora_magnitude_vector" });
    expect(site("ia3")).toEqual({ layer: 1, part: "value", rank: 0, scale: 0, outputScale: "ia3_l" });
    const ia3 = resolve(caseOf("bert", "ForSequenceClassification", "ia3"));
    expect(ia3.sites.filter((item) => item.inputScale !== undefined).map((item) => item.site.part)).toEqual(["attentionOutput", "output", "attentionOutput", "output"]);
  });

  it("keeps the encoder's biases where a file of lora_only has none, as PEFT before 0.21 saved it, and refuses one that has some", () => {
    const item = caseOf("bert", "ForSequenceClassification", "bias-lora-only");
    const biases = Object.keys(item.tensors).filter((name) => name.endsWith(".base_layer.bias"));
    expect(biases.length).toBeGreaterThan(2);
    const without = (names: readonly string[]) => ({ tensors: (shapes: Map<string, readonly number[]>): void => names.forEach((name) => shapes.delete(name)) });
    const named = (description: AdapterDescription): unknown => JSON.parse(JSON.stringify(description, (key, value: unknown) => (key === "start" || key === "end" ? undefined : value)));
    const whole = resolve(item);
    expect(named(resolve(item, without(biases)))).toEqual(named({ ...whole, sites: whole.sites.map(({ bias: _bias, ...site }) => site) }));
    for (const [i] of biases.entries()) expectError(() => resolve(item, without(biases.toSpliced(i, 1))), "tensor-missing", "base_layer.bias");
    // Names of PEFT's first versions, which no later one reads.
    const early = biases.map((name) => name.replace(".base_layer", ""));
    expectError(() => resolve(item, { tensors: (shapes) => (without(biases).tensors(shapes), early.forEach((name) => shapes.set(name, [8]))) }), "tensor-unexpected", "accounts");
  });

  it("leaves a pooler that was saved without a head: nothing depends on it", () => {
    for (const [family, pooler] of [["bert", "pooler.dense"], ["albert", "pooler"]] as const) {
      const item = caseOf(family, "Model", "default");
      const saved = (width: number): Change => ({
        config: { task_type: "FEATURE_EXTRACTION", modules_to_save: ["pooler"] },
        tensors: (shapes) => void shapes.set(`base_model.model.${pooler}.weight`, [width, 8]).set(`base_model.model.${pooler}.bias`, [8]),
      });
      const description = resolve(item, saved(8));
      expect([description.head, description.needsPooler, description.sites.length]).toEqual([null, false, resolve(item).sites.length]);
      expectError(() => resolve(item, saved(9)), "adapter-mismatch", pooler);
    }
    expectError(() => resolve(caseOf("bert", "Model", "default"), { config: { modules_to_save: ["pooler"] }, tensors: (shapes) => void shapes.set("base_model.model.pooler.dense.weight", [8, 8]) }), "tensor-missing", "pooler.dense.bias");
  });

  it("scales by an alpha that is negative or 0, and passes over layers and ranks that match nothing", () => {
    const item = caseOf("bert", "ForSequenceClassification", "default");
    const { sites } = resolve(item);
    const scales = (config: object): number[] => resolve(item, { config }).sites.map(({ scale }) => scale);
    expect(scales({ lora_alpha: -4 })).toEqual(sites.map(({ rank }) => -4 / rank));
    expect(scales({ alpha_pattern: { value: 0 } }).filter((scale) => scale === 0).length).toBe(sites.length / 2);
    expect(resolve(item, { config: { layers_to_transform: [0, 1, 2, 500, -1] } }).sites).toEqual(sites);
    expectError(() => resolve(item, { config: { layers_to_transform: [500] } }), "adapter-mismatch", "names no module");
    expect(resolve(item, { config: { rank_pattern: { nothing: 0 } } }).sites).toEqual(sites);
    for (const rank of [0, -1]) expectError(() => resolve(item, { config: { rank_pattern: { value: rank } } }), "config-invalid", "rank_pattern", "1 or more");
  });

  it("reads bias=all as biases of every linear layer and LayerNorm", () => {
    const { sites, normBias } = resolve(caseOf("bert", "ForSequenceClassification", "bias-all"));
    expect(sites.map(({ site }) => `${site.layer}.${site.part}`)).toEqual(["0", "1"].flatMap((layer) => ["query", "key", "value", "attentionOutput", "intermediate", "output"].map((part) => `${layer}.${part}`)).concat("null.pooler"));
    expect(sites.every((site) => site.bias !== undefined)).toBe(true);
    expect(normBias.map(({ site }) => `${site.layer}.${site.part}`)).toEqual(["null.norm", "0.attentionNorm", "0.outputNorm", "1.attentionNorm", "1.outputNorm"]);
  });

  it("gives each family its head", () => {
    const head = (family: string, task = "ForSequenceClassification", variant = "default"): unknown => {
      const { head: found, needsPooler } = resolve(caseOf(family, task, variant));
      const name = (tensor: TensorInfo | undefined): string | undefined => tensor?.name.replace("base_model.model.", "");
      return [found?.kind, name(found?.classifier.weight), name(found?.dense?.weight), found?.denseActivation, name(found?.pooler?.bias), needsPooler];
    };
    expect(head("bert")).toEqual(["sequence", "classifier.weight", undefined, undefined, undefined, true]);
    expect(head("albert")).toEqual(["sequence", "classifier.weight", undefined, undefined, undefined, true]);
    expect(head("distilbert")).toEqual(["sequence", "classifier.weight", "pre_classifier.weight", "relu", undefined, false]);
    expect(head("roberta")).toEqual(["sequence", "classifier.out_proj.weight", "classifier.dense.weight", "tanh", undefined, false]);
    expect(head("xlm-roberta")).toEqual(["sequence", "classifier.out_proj.weight", "classifier.dense.weight", "tanh", undefined, false]);
    expect(head("electra")).toEqual(["sequence", "classifier.out_proj.weight", "classifier.dense.weight", "gelu", undefined, false]);
    for (const family of ["bert", "distilbert", "roberta", "albert", "electra"]) {
      expect(head(family, "ForTokenClassification")).toEqual(["token", "classifier.weight", undefined, undefined, undefined, false]);
    }
    expect(head("bert", "ForSequenceClassification", "save-pooler")).toEqual(["sequence", "classifier.weight", undefined, undefined, "bert.pooler.dense.bias", false]);
    expect(head("albert", "ForSequenceClassification", "save-pooler")).toEqual(["sequence", "classifier.weight", undefined, undefined, "albert.pooler.bias", false]);
    expect(resolve(caseOf("bert", "Model", "default")).head).toBeNull();
    expect(resolve(caseOf("bert", "Model", "all-linear")).needsPooler).toBe(true);
    expect(resolve(caseOf("bert", "Model", "default")).needsPooler).toBe(false);
  });

  it("finds the first adapted layer", () => {
    const first = (family: string, task: string, variant: string): number => resolve(caseOf(family, task, variant)).firstAdaptedLayer;
    expect(first("bert", "ForTokenClassification", "last")).toBe(1);
    expect(first("distilbert", "ForTokenClassification", "last-named")).toBe(1);
    expect(first("bert", "ForSequenceClassification", "default")).toBe(0);
    expect(first("bert", "ForSequenceClassification", "embeddings")).toBe(-1);
    expect(first("bert", "ForSequenceClassification", "bias-all")).toBe(-1);
    expect(first("albert", "ForSequenceClassification", "default")).toBe(0);
    expect(first("albert", "ForSequenceClassification", "all-linear")).toBe(-1);
    expect(first("electra", "ForSequenceClassification", "all-linear")).toBe(-1);
    const pooler = resolve(caseOf("bert", "Model", "default"), {
      config: { target_modules: ["pooler.dense"] },
      tensors: (shapes) => (shapes.clear(), shapes.set("base_model.model.pooler.dense.lora_A.weight", [2, 8]), shapes.set("base_model.model.pooler.dense.lora_B.weight", [8, 2])),
    });
    expect([pooler.firstAdaptedLayer, pooler.sites[0]?.site]).toEqual([2, { layer: null, part: "pooler" }]);
  });

  it("takes narrow floats", () => {
    expect(outcome(() => resolve(caseOf("bert", "ForSequenceClassification", "default"), { dtype: "F16" }))).toBe("accepted");
    expectError(() => resolve(caseOf("bert", "ForSequenceClassification", "default"), { dtype: "I8" }), "tensor-dtype", "I8");
  });
});

const A = "base_model.model.bert.encoder.layer.1.attention.self.query.lora_A.weight";
const B = "base_model.model.bert.encoder.layer.1.attention.self.query.lora_B.weight";
const plain = caseOf("bert", "ForSequenceClassification", "default");

describe("resolveAdapter refuses", () => {
  it("each missing tensor of each variant, by name", () => {
    for (const variant of ["default", "rslora-dora", "lora-bias", "bias-lora-only", "bias-all", "embeddings", "save-pooler", "ia3", "all-linear"]) {
      const item = caseOf("bert", "ForSequenceClassification", variant);
      for (const name of Object.keys(item.tensors)) {
        if (/\.(modules_to_save|original_module)\./.test(name)) continue;
        expectError(() => resolve(item, { tensors: (shapes) => shapes.delete(name) }), "tensor-missing", name);
      }
    }
    for (const family of ["distilbert", "roberta", "electra", "albert"]) {
      const item = caseOf(family, "ForSequenceClassification", "default");
      for (const name of Object.keys(item.tensors).filter((key) => key.includes("classifier"))) {
        expectError(() => resolve(item, { tensors: (shapes) => shapes.delete(name) }), "tensor-missing", name);
      }
    }
  });

  it("each tensor of a wrong shape, and tells another encoder from a wrong rank", () => {
    for (const variant of ["default", "rslora-dora", "lora-bias", "bias-all", "embeddings", "save-pooler", "ia3"]) {
      const item = caseOf("bert", "ForSequenceClassification", variant);
      for (const [name, shape] of Object.entries(item.tensors)) {
        if (/\.(modules_to_save|original_module)\./.test(name)) continue;
        expect(outcome(() => resolve(item, { tensors: (shapes) => shapes.set(name, [...shape, 1]) })), name).toBe("tensor-shape");
        for (const [i, size] of shape.entries()) {
          const other = outcome(() => resolve(item, { tensors: (shapes) => shapes.set(name, shape.with(i, size + 1)) }));
          const ofRank = name.includes("ia3_l") ? size === 1 : /lora_(embedding_)?A/.test(name) ? i === 0 : /lora_(embedding_)?B(\.weight)?$/.test(name) ? i === 1 : name.includes("model.classifier.");
          // One more classifier row is a classifier of one more label: its bias then differs.
          const expected = name.endsWith("classifier.weight") && i === 1 ? "adapter-mismatch" : ofRank ? "tensor-shape" : "adapter-mismatch";
          expect(other, `${name} ${i}`).toBe(expected);
        }
      }
    }
  });

  it("a classifier without rows or columns, or with too many labels", () => {
    const classifier = "base_model.model.classifier.weight";
    expectError(() => resolve(plain, { tensors: (shapes) => shapes.set(classifier, [0, 8]) }), "tensor-shape", "[labels, 8]");
    expectError(() => resolve(plain, { tensors: (shapes) => shapes.set(classifier, []) }), "tensor-shape");
    expect(resolve(plain, { tensors: (shapes) => (shapes.set(classifier, [65_536, 8]), shapes.set("base_model.model.classifier.bias", [65_536])) }).head?.labels).toBe(65_536);
    expectError(() => resolve(plain, { tensors: (shapes) => (shapes.set(classifier, [65_537, 8]), shapes.set("base_model.model.classifier.bias", [65_537])) }), "limit-exceeded", "65536");
  });

  it("an adapter of another encoder", () => {
    expectError(() => resolve(plain, { encoder: { hidden_size: 10 } }), "adapter-mismatch", "this encoder needs [2, 10]");
    expectError(() => resolve(caseOf("bert", "ForSequenceClassification", "embeddings"), { encoder: { vocab_size: 21 } }), "adapter-mismatch", "[2, 21]");
    expectError(() => resolve(plain, { encoder: { num_hidden_layers: 1 } }), "adapter-mismatch", "layer 1");
    expectError(() => resolve(plain, { encoder: { num_hidden_layers: 3 } }), "adapter-mismatch", "shallower");
    const regex = resolve(caseOf("bert", "ForTokenClassification", "last"), { encoder: { num_hidden_layers: 3 } });
    expect(regex.sites.every(({ site }) => site.layer === 1)).toBe(true);
    for (const [family, other] of [["bert", "distilbert"], ["bert", "roberta"], ["roberta", "bert"], ["electra", "bert"], ["albert", "electra"]] as const) {
      const item = caseOf(other, "ForSequenceClassification", "default");
      expectError(() => resolve({ ...item, family }), "adapter-mismatch", "another family", family);
    }
    expectError(() => resolve(plain, { config: { layers_to_transform: [7] } }), "adapter-mismatch", "names no module");
    expectError(() => resolve(plain, { config: { target_modules: ["q_proj"] } }), "adapter-mismatch", "names no module");
  });

  it("a rank that is not the configuration's", () => {
    expectError(() => resolve(plain, { config: { r: 3 } }), "tensor-shape", "adapter_config.json says [3, 8]");
    expectError(() => resolve(plain, { config: { rank_pattern: { "layer.1.attention.self.query": 5 } } }), "tensor-shape", "[5, 8]");
  });

  it("what nothing accounts for", () => {
    const extra = (name: string, ...words: string[]): void => expectError(() => resolve(plain, { tensors: (shapes) => shapes.set(name, [8]) }), "tensor-unexpected", name, ...words);
    extra("base_model.model.bert.encoder.layer.1.attention.self.key.lora_A.weight", "does not target");
    extra("base_model.model.bert.encoder.layer.1.attention.self.query.lora_magnitude_vector", "does not target");
    extra("base_model.model.bert.encoder.layer.1.attention.self.query.base_layer.bias", "accounts");
    extra("base_model.model.bert.embeddings.word_embeddings.weight", "accounts");
    extra("base_model.model.pre_classifier.weight", "accounts");
    extra("base_model.model.bert.embeddings.LayerNorm.bias", "accounts");
    extra("base_model.model.classifier.original_module.bias", "accounts");
    extra("prompt_embeddings", "does not start with");
    expectError(() => resolve(plain, { config: { target_modules: ["query"] } }), "tensor-unexpected", "value.lora_A");
    const token = caseOf("bert", "ForTokenClassification", "default");
    expectError(() => resolve(token, { tensors: (shapes) => shapes.set("base_model.model.bert.pooler.dense.lora_A.weight", [2, 8]) }), "tensor-unexpected", "pooler");
  });

  it("what it cannot do, by name", () => {
    expectError(() => resolve(caseOf("bert", "ForSequenceClassification", "embeddings"), { config: { use_dora: true }, tensors: (shapes) => shapes }), "adapter-unsupported", "use_dora", "word_embeddings");
    expectError(() => resolve(caseOf("bert", "ForSequenceClassification", "embeddings"), { config: { lora_bias: true } }), "adapter-unsupported", "lora_bias");
    expectError(() => resolve(caseOf("bert", "ForSequenceClassification", "ia3"), { config: { target_modules: ["word_embeddings"], feedforward_modules: [] } }), "adapter-unsupported", "IA3 on the embedding");
    for (const name of ["LayerNorm", "embeddings", "query", "encoder", "encoder.layer.1", "dense", "word_embeddings", "bert"]) {
      expectError(() => resolve(plain, { config: { modules_to_save: ["classifier", name] } }), "adapter-unsupported", "modules_to_save", name, "heads and the pooler");
    }
    expectError(() => resolve(plain, { config: { task_type: null } }), "adapter-unsupported", "task_type", "classifier");
    expectError(() => resolve(plain, { config: { target_modules: "(?i).*QUERY" } }), "adapter-unsupported", "(?i");
    expectError(() => resolve(plain, { config: { target_modules: "(" } }), "config-invalid", "regular expression");
    expectError(() => resolve(plain, { config: { rank_pattern: { "*": 2 } } }), "config-invalid", "regular expression");
  });

  it("targets left open where PEFT has no default, and takes its default elsewhere", () => {
    expect(adapted(plain, resolve(plain, { config: { target_modules: null } }))).toEqual(plain.modules);
    expectError(() => resolve(caseOf("distilbert", "ForSequenceClassification", "default"), { config: { target_modules: null } }), "config-invalid", "target_modules", "distilbert");
    const ia3 = caseOf("bert", "ForSequenceClassification", "ia3");
    expect(adapted(ia3, resolve(ia3, { config: { target_modules: null, feedforward_modules: null } }))).toEqual(ia3.modules);
    expectError(() => resolve(caseOf("albert", "ForSequenceClassification", "ia3"), { config: { feedforward_modules: null } }), "config-invalid", "feedforward_modules", "albert");
  });
});

describe("PEFT's matching rules", () => {
  const queries = (change: object): string[] => {
    const names: string[] = [];
    const shapes = (layer: number, part: string): [string, number[]][] => [
      [`base_model.model.bert.encoder.layer.${layer}.attention.self.${part}.lora_A.weight`, [2, 8]],
      [`base_model.model.bert.encoder.layer.${layer}.attention.self.${part}.lora_B.weight`, [8, 2]],
    ];
    // The file decides what is there; try each combination of modules until one is accepted.
    const all = [0, 1].flatMap((layer) => ["query", "key", "value"].map((part) => [layer, part] as const));
    for (let mask = 1; mask < 64; mask++) {
      const chosen = all.filter((_, i) => mask & (1 << i));
      const tensors = tensorMap([...chosen.flatMap(([layer, part]) => shapes(layer, part)), ["base_model.model.classifier.weight", [3, 8]], ["base_model.model.classifier.bias", [3]]]);
      const config = readPeftConfig(JSON.stringify({ peft_type: "LORA", task_type: "TOKEN_CLS", r: 2, modules_to_save: ["classifier", "score"], ...change }));
      if (outcome(() => resolveAdapter(config, encoderOf("bert"), tensors)) === "accepted") names.push(chosen.map(([layer, part]) => `${layer}${part.charAt(0)}`).join(" "));
    }
    return names;
  };

  it("a list matches whole names and suffixes after a dot", () => {
    expect(queries({ target_modules: ["query"] })).toEqual(["0q 1q"]);
    expect(queries({ target_modules: ["self.key"] })).toEqual(["0k 1k"]);
    expect(queries({ target_modules: ["bert.encoder.layer.1.attention.self.key"] })).toEqual(["1k"]);
    expect(queries({ target_modules: ["uery", "elf.key"] })).toEqual([]);
  });

  it("a string matches the whole name", () => {
    expect(queries({ target_modules: ".*\\.(query|key)" })).toEqual(["0q 0k 1q 1k"]);
    expect(queries({ target_modules: "query" })).toEqual([]);
    expect(queries({ target_modules: ".*layer.0.*self.(?!key).*" })).toEqual(["0q 0v"]);
  });

  it("exclude_modules and modules_to_save take names out", () => {
    expect(queries({ target_modules: ["query", "key"], exclude_modules: ["0.attention.self.key"] })).toEqual(["0q 1q 1k"]);
    expect(queries({ target_modules: ["query", "key"], exclude_modules: ".*1.*" })).toEqual(["0q 0k"]);
    expect(queries({ target_modules: ["query", "key"], exclude_modules: "1" })).toEqual(["0q 0k 1q 1k"]);
    // modules_to_save takes out what it matches as an expression, and saves what ends in it as text.
    expect(queries({ target_modules: ["query", "key"], modules_to_save: ["classifier", "que.y"] })).toEqual(["0k 1k"]);
  });

  it("layers_to_transform filters suffixes, not whole names", () => {
    expect(queries({ target_modules: ["query"], layers_to_transform: [1] })).toEqual(["1q"]);
    expect(queries({ target_modules: ["query"], layers_to_transform: [1], layers_pattern: ["blocks", "layer"] })).toEqual(["1q"]);
    expect(queries({ target_modules: ["query"], layers_to_transform: [1], layers_pattern: "blocks" })).toEqual([]);
    expect(queries({ target_modules: ["query", "bert.encoder.layer.0.attention.self.key"], layers_to_transform: [1] })).toEqual(["0k 1q"]);
    // Without brackets around it the alternative splits PEFT's own expression, and no number is found: as in PEFT.
    expect(queries({ target_modules: ["query"], layers_to_transform: [0, 1], layers_pattern: "layer|blocks" })).toEqual([]);
  });

  it("the first pattern that matches a whole suffix gives the rank", () => {
    const ranks = (patterns: object): number[] => {
      const item = caseOf("bert", "ForSequenceClassification", "default");
      return [2, 5].filter((rank) => outcome(() => resolve(item, { config: { rank_pattern: patterns }, tensors: (shapes) => (shapes.set(A, [rank, 8]), shapes.set(B, [8, rank])) })) === "accepted");
    };
    expect(ranks({})).toEqual([2]);
    expect(ranks({ "1.attention.self.query": 5 })).toEqual([5]);
    expect(ranks({ "layer.1.*query": 5, "1.attention.self.query": 2 })).toEqual([5]);
    expect(ranks({ "1.attention.self.query": 2, "layer.1.*query": 5 })).toEqual([2]);
    expect(ranks({ "uery": 5 })).toEqual([2]);
    expect(ranks({ "1.attention.self": 5 })).toEqual([2]);
    expect(ranks({ "bert.encoder.layer.1.attention.self.query": 5 })).toEqual([5]);
    expect(ranks({ "layer\\.1\\..*\\.(query|x)": 5 })).toEqual([5]);
    // The key stands in brackets of its own, so both sides of a bar must reach the end of the name.
    expect(ranks({ "x|1.attention.self.query": 5 })).toEqual([5]);
  });

  it("all-linear leaves out tables; feedforward_modules match inside a word", () => {
    const item = caseOf("bert", "ForSequenceClassification", "all-linear");
    expect(adapted(item, resolve(item, { config: { target_modules: "all-linear" } }))).toEqual(item.modules);
    const ia3 = caseOf("bert", "ForSequenceClassification", "ia3");
    expect(adapted(ia3, resolve(ia3, { config: { feedforward_modules: ["put.dense"] } }))).toEqual(ia3.modules);
    expect(adapted(ia3, resolve(ia3, { config: { feedforward_modules: ".*output.dense" } }))).toEqual(ia3.modules);
  });
});

describe("mutants", () => {
  it("3,000 damaged tensor lists end in accepted or a listed code", () => {
    const random = seeded(23);
    const listed = new Set(["accepted", "adapter-mismatch", "tensor-missing", "tensor-unexpected", "tensor-shape", "adapter-unsupported", "limit-exceeded"]);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    for (let i = 0; i < 3_000; i++) {
      const item = pick(golden.cases);
      const change = (shapes: Map<string, readonly number[]>): void => {
        const name = pick([...shapes.keys()]);
        const shape = shapes.get(name) as readonly number[];
        const kind = Math.floor(random() * 4);
        if (kind === 0) shapes.delete(name);
        else if (kind === 1) shapes.set(name, shape.map((size) => (random() < 0.5 ? size : Math.floor(random() * 20))));
        else if (kind === 2) shapes.set(name.slice(0, Math.floor(random() * name.length)) + String.fromCharCode(0x2e + Math.floor(random() * 70)) + name.slice(-5), shape);
        else shapes.set(name.replace(/\d/, (digit) => String(Number(digit) + 1)), shape);
      };
      expect(listed).toContain(outcome(() => resolve(item, { tensors: change })));
    }
  });
});

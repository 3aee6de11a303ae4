/** JSON files of folders: what JSON itself allows and we do not, and fields that would mislead. */

import type { Files } from "../fuzz/micro.ts";
import type { Attack, AttackedFile } from "./attack.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** The text of a file with a field put in front; given as text, for what `JSON.stringify` cannot write. */
export function withField(bytes: Uint8Array, key: string, raw: string): Uint8Array {
  return utf8(`{${JSON.stringify(key)}:${raw},${new TextDecoder().decode(bytes).trimStart().slice(1)}`);
}

/** The file with one value replaced, by its text. */
export function replaced(bytes: Uint8Array, from: string | RegExp, to: string): Uint8Array {
  const before = new TextDecoder().decode(bytes);
  const after = before.replace(from, () => to);
  if (after === before) throw new Error(`${String(from)} is not in the file`);
  return utf8(after);
}

const OPTIONAL: ReadonlySet<AttackedFile> = new Set(["tokenizer_config.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"]);

/** An HTML page stands for a file that is not there, where there may be none: then what lacks it is refused. An encoder does without the files of `OPTIONAL`. */
function aPage(file: AttackedFile, attack: (what: string, mutant: Uint8Array, code: Attack["code"], ...says: string[]) => Attack): Attack {
  const page = "<!DOCTYPE html><html></html>";
  if (file === "labels") return attack("an HTML page", utf8(page), "labels-mismatch", "config.json");
  if (file === "rootstock.json") return attack("an HTML page", utf8(page), "tensor-missing", "rootstock.json must be beside them");
  if (OPTIONAL.has(file)) return attack("a word before an HTML page", utf8(`page ${page}`), "json-invalid", "not JSON");
  return attack("an HTML page", utf8(`\ufeff \n${page}`), "not-a-model", "HTML page");
}

/** What every JSON file is refused for. `cap` is its size limit in bytes. */
function traps(file: AttackedFile, bytes: Uint8Array, cap: number): Attack[] {
  const attack = (what: string, mutant: Uint8Array, code: Attack["code"], ...says: string[]): Attack => ({ what: `${file}: ${what}`, file, bytes: mutant, code, says });
  return [
    attack("no bytes", new Uint8Array(0), "json-invalid"),
    aPage(file, attack),
    attack("cut short", bytes.subarray(0, bytes.length >> 1), "json-invalid"),
    attack("another value behind it", utf8(`${new TextDecoder().decode(bytes)} {}`), "json-invalid"),
    attack("bytes that are not UTF-8", latin('{"a":"\xff"}'), "json-invalid", "UTF-8"),
    attack("UTF-16", new Uint8Array(Uint16Array.from('{"a":1}', (char) => char.charCodeAt(0)).buffer), "json-invalid"),
    attack("a key twice", withField(bytes, "x", '{"a":1,"a":2}'), "json-invalid", '"a"', "twice"),
    attack("a key twice in two spellings", withField(bytes, "x", '{"a":1,"\\u0061":2}'), "json-invalid", "twice"),
    attack("__proto__ twice", withField(bytes, "x", '{"__proto__":{},"__proto__":{}}'), "json-invalid", "__proto__"),
    attack("200,000 nested lists", withField(bytes, "x", "[".repeat(200_000) + "]".repeat(200_000)), "limit-exceeded", "32 levels"),
    attack("more bytes than the cap", withField(bytes, "x", `"${"a".repeat(cap)}"`), "limit-exceeded", String(cap)),
  ];
}

type Row = readonly [what: string, bytes: Uint8Array, code: Attack["code"], ...says: string[]];

function rows(file: AttackedFile, list: readonly Row[]): Attack[] {
  return list.map(([what, bytes, code, ...says]) => ({ what: `${file}: ${what}`, file, bytes, code, says }));
}

const MIB = 1 << 20;

export function configAttacks(config: Uint8Array): Attack[] {
  const number = (key: string, text: string): Uint8Array => replaced(config, new RegExp(`"${key}":[0-9.e-]+`), `"${key}":${text}`);
  return [
    ...traps("config.json", config, MIB),
    ...rows("config.json", [
      ["a list", utf8("[]"), "config-invalid", "an object"],
      ["a prototype in place of fields", utf8('{"__proto__":{"model_type":"bert","hidden_size":8}}'), "family-unsupported"],
      ["a family of every object", replaced(config, '"bert"', '"constructor"'), "family-unsupported", "constructor"],
      ["a size of 1e400", number("hidden_size", "1e400"), "config-invalid", "hidden_size"],
      ["a size of 2^53 + 1", number("vocab_size", "9007199254740993"), "config-invalid", "vocab_size"],
      ["a size of −0", number("pad_token_id", "-0"), "config-invalid", "pad_token_id"],
      ["a fraction of a layer", number("num_hidden_layers", "1.5"), "config-invalid", "num_hidden_layers"],
      ["a size below 0", number("intermediate_size", "-12"), "config-invalid", "intermediate_size"],
      ["a billion layers", number("num_hidden_layers", "1000000000"), "config-invalid", "128"],
      ["a vocabulary of 2^24", number("vocab_size", "16777216"), "tensor-shape", "word_embeddings"],
      ["positions of 2^24", number("max_position_embeddings", "16777216"), "tensor-shape", "position_embeddings"],
      ["a layer more than the weights have", number("num_hidden_layers", "3"), "tensor-missing", "layer.2"],
      ["a layer less", number("num_hidden_layers", "1"), "tensor-unexpected", "layer.1"],
      ["heads that do not divide it", number("num_attention_heads", "3"), "config-invalid", "num_attention_heads"],
      ["no epsilon to speak of", number("layer_norm_eps", "5e-324"), "config-invalid", "layer_norm_eps"],
      ["an activation of every object", replaced(config, '"gelu"', '"toString"'), "config-invalid", "hidden_act"],
    ]),
  ];
}

export function tokenizerAttacks(tokenizer: Uint8Array): Attack[] {
  const vocabularyOf = (text: string): Uint8Array => replaced(tokenizer, /"vocab":\{[^}]*\}/, `"vocab":${text}`);
  return [
    ...traps("tokenizer.json", tokenizer, 64 * MIB),
    ...rows("tokenizer.json", [
      ["a list", utf8("[]"), "tokenizer-invalid", "an object"],
      ["a model of every object", replaced(tokenizer, '"WordPiece"', '"constructor"'), "tokenizer-invalid", "constructor"],
      ["no vocabulary", vocabularyOf("{}"), "tokenizer-invalid", "empty"],
      ["an unknown token of every object", replaced(tokenizer, '"unk_token":"[UNK]"', '"unk_token":"toString"'), "tokenizer-invalid", "unk_token"],
      ["an id of 1e400", replaced(tokenizer, '"[PAD]":0', '"[PAD]":1e400'), "tokenizer-invalid", "[PAD]"],
      ["an id of −0", replaced(tokenizer, '"[PAD]":0', '"[PAD]":-0'), "tokenizer-invalid", "[PAD]"],
      ["an id below 0", replaced(tokenizer, '"[PAD]":0', '"[PAD]":-1'), "tokenizer-invalid", "[PAD]"],
      ["an id beyond the encoder's vocabulary", replaced(tokenizer, '"[PAD]":0', '"[PAD]":12'), "tokenizer-invalid", "12"],
      ["an added token beyond it", replaced(tokenizer, '"added_tokens":[{"id":4', '"added_tokens":[{"id":99'), "tokenizer-invalid", "99"],
      ["more special tokens than positions", replaced(tokenizer, '"ids":[2]', `"ids":[${"2,".repeat(11)}2]`), "tokenizer-invalid", "special tokens"],
      ["100,000 special tokens", replaced(tokenizer, '"ids":[2]', `"ids":[${"2,".repeat(99_999)}2]`), "limit-exceeded", "64"],
      ["a piece of 100,000 letters", replaced(tokenizer, '"a":5', `"${"a".repeat(100_000)}":5`), "limit-exceeded", "64"],
      ["an expression of its own", replaced(tokenizer, '{"type":"BertPreTokenizer"}', '{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"}'), "tokenizer-invalid", "Split"],
    ]),
  ];
}

export function tokenizerConfigAttacks(config: Uint8Array): Attack[] {
  return [
    ...traps("tokenizer_config.json", config, MIB),
    ...rows("tokenizer_config.json", [
      ["a list", utf8("[]"), "tokenizer-invalid", "tokenizer_config.json"],
      ["a flag that is a word", replaced(config, '"do_lower_case":true', '"do_lower_case":"false"'), "tokenizer-invalid", "lowercase"],
    ]),
  ];
}

/** Of a folder as sentence-transformers writes it, with the pooling "cls". */
export function sentenceAttacks(folder: Files): Attack[] {
  const [modules, pooling, lengths] = ["modules.json", "1_Pooling/config.json", "sentence_bert_config.json"].map((name) => folder.get(name)!) as [Uint8Array, Uint8Array, Uint8Array];
  const module = (text: string): Uint8Array => utf8(`[${text}]`);
  const at = (path: string): Uint8Array => replaced(modules, '"path": "1_Pooling"', `"path": ${JSON.stringify(path)}`);
  return [
    ...["{}", `{"x":1,"x":2}`].map((text, i): Attack => ({ what: `modules.json: ${["an object", "a key twice"][i]!}`, file: "modules.json", bytes: utf8(text), code: i === 0 ? "config-invalid" : "json-invalid", says: ["modules.json"] })),
    ...rows("modules.json", [
      ["a word before an HTML page", utf8("page <!DOCTYPE html><html></html>"), "json-invalid", "not JSON"],
      ["more bytes than the cap", utf8(`["${"a".repeat(MIB)}"]`), "limit-exceeded", String(MIB)],
      ["200,000 nested lists", utf8("[".repeat(200_000) + "]".repeat(200_000)), "limit-exceeded", "32 levels"],
      ["10,000 modules", module(Array.from({ length: 10_000 }, () => '{"type":"","path":""}').join()), "config-invalid", "64"],
      ["a module that is a prototype", module('{"__proto__":{"type":"","path":""}}'), "config-invalid", "type"],
      ["a module without a type", module('{"path":""}'), "config-invalid", "type"],
      ["a module without a path", module('{"type":"a"}'), "config-invalid", "path"],
      ["a folder outside of the folder", at("../1_Pooling"), "config-invalid", "1_Pooling"],
      ["a folder of the system", at("/etc"), "config-invalid", "/etc"],
      ["a folder on another server", at("https://host/1_Pooling"), "config-invalid", "https"],
      ["a folder that is coded", at("%2e%2e"), "config-invalid", "%2e"],
      ["no folder", at(""), "config-invalid", "1_Pooling"],
    ]),
    ...traps("1_Pooling/config.json", pooling, MIB),
    ...rows("1_Pooling/config.json", [
      ["a list", utf8("[]"), "config-invalid", "an object"],
      ["a flag that is a word", replaced(pooling, '"pooling_mode_cls_token": true', '"pooling_mode_cls_token": "true"'), "config-invalid", "pooling_mode_cls_token"],
      ["a mode that is a number", withField(pooling, "pooling_mode", "1"), "config-invalid", "pooling_mode"],
      ["a mode of 100,000 letters", withField(pooling, "pooling_mode", `"${"a".repeat(100_000)}"`), "config-invalid", "pooling_mode"],
      ["10,000 modes", withField(pooling, "pooling_mode", `[${'"cls",'.repeat(9_999)}"cls"]`), "config-invalid", "pooling_mode"],
    ]),
    ...traps("sentence_bert_config.json", lengths, MIB),
    ...rows("sentence_bert_config.json", [
      ["a list", utf8("[]"), "config-invalid", "an object"],
      ["a length of 1e400", replaced(lengths, '"max_seq_length": 8', '"max_seq_length": 1e400'), "config-invalid", "max_seq_length"],
      ["a length of 0", replaced(lengths, '"max_seq_length": 8', '"max_seq_length": 0'), "config-invalid", "max_seq_length"],
      ["a length of −0", replaced(lengths, '"max_seq_length": 8', '"max_seq_length": -0'), "config-invalid", "max_seq_length"],
      ["a fraction of a token", replaced(lengths, '"max_seq_length": 8', '"max_seq_length": 7.5'), "config-invalid", "max_seq_length"],
      ["a flag that is a number", replaced(lengths, '"do_lower_case": false', '"do_lower_case": 1'), "config-invalid", "do_lower_case"],
    ]),
  ];
}

export function manifestAttacks(folder: Files): Attack[] {
  const manifest = folder.get("rootstock.json")!;
  const ofWeights = (fields: string): Uint8Array => replaced(manifest, /"model\.safetensors": \{\s*"size": [0-9]+/, `"model.safetensors": {"size": ${fields}`);
  const named = (name: string): Uint8Array => replaced(manifest, '"config.json"', JSON.stringify(name));
  return [
    ...traps("rootstock.json", manifest, MIB),
    ...rows("rootstock.json", [
      ["a list", utf8("[]"), "json-invalid", "an object"],
      ["a newer format", replaced(manifest, '"format": 1', '"format": 2'), "format-version", "2"],
      ["a format of 1e400", replaced(manifest, '"format": 1', '"format": 1e400'), "json-invalid", "format"],
      ["a file outside the folder", named("../config.json"), "json-invalid", "folder itself"],
      ["a prototype as a file", named("__proto__"), "json-invalid", "__proto__"],
      ["weights of another size", ofWeights("1"), "source-truncated", "model.safetensors"],
      ["weights of 2^53", ofWeights("9007199254740993"), "json-invalid", "size"],
      ["weights that are not listed", replaced(manifest, '"model.safetensors"', '"other.safetensors"'), "tensor-missing", "model.safetensors"],
      ["another digest of a small file", replaced(manifest, /("config\.json": \{\s*"size": [0-9]+,\s*"sha256": ")[0-9a-f]{8}/, `"config.json": {"size": ${folder.get("config.json")!.length}, "sha256": "00000000`), "digest-mismatch", "config.json"],
      ["another size of a small file", replaced(manifest, /"config\.json": \{\s*"size": [0-9]+/, '"config.json": {"size": 7'), "source-truncated", "config.json"],
      ["parts of one byte", ofWeights("7000, \"partBytes\": 1"), "json-invalid", "partBytes"],
      ["a pooling that is a flag", withField(manifest, "sentence", '{"pooling":true}'), "json-invalid", "pooling"],
      ["a pooling of 100,000 letters", withField(manifest, "sentence", `{"pooling":"${"a".repeat(100_000)}"}`), "json-invalid", "pooling"],
      ["a length of 2^53 + 1", withField(manifest, "sentence", '{"pooling":"cls","maxTokens":9007199254740993}'), "json-invalid", "maxTokens"],
      ["a damping that is a word", replaced(manifest, '"method": "plain"', '"method": "plain", "damping": "1"'), "json-invalid", "damping"],
    ]),
  ];
}

function table(pattern: (i: number) => string, count: number): string {
  return JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [pattern(i), 4])));
}

export function adapterConfigAttacks(config: Uint8Array): Attack[] {
  const value = (key: string, text: string): Uint8Array => replaced(config, new RegExp(`"${key}": ?(\\[[^\\]]*\\]|[^,\\n]+)`), `"${key}":${text}`);
  return [
    ...traps("adapter_config.json", config, MIB),
    ...rows("adapter_config.json", [
      ["a list", utf8("[]"), "config-invalid", "an object"],
      ["a method of every object", value("peft_type", '"constructor"'), "adapter-unsupported", "constructor"],
      ["a rank of 0", value("r", "0"), "config-invalid", "r"],
      ["a rank of 1e400", value("r", "1e400"), "config-invalid", "r"],
      ["a rank of 2^31", value("r", "2147483648"), "config-invalid", "r"],
      ["another rank than the file's", value("r", "5"), "tensor-shape", "lora_A"],
      ["an alpha of 1e400", value("lora_alpha", "1e400"), "config-invalid", "lora_alpha"],
      ["an alpha below any", value("lora_alpha", "-1e9"), "config-invalid", "lora_alpha"],
      ["a rank of a pattern below 1", value("rank_pattern", '{"query":0}'), "config-invalid", "rank_pattern"],
      ["targets that take exponential time", value("rank_pattern", table((i) => `(${".*".repeat(900)})${i}X`, 400)), "limit-exceeded", "steps"],
      ["patterns that expand to 16 million instructions", value("rank_pattern", table((i) => `(.{1000}){4}${i}`, 4_000)), "limit-exceeded", "steps"],
      ["targets that are no expression", value("target_modules", '"("'), "config-invalid", "expression"],
      ["targets that this encoder does not have", value("target_modules", '["q_proj"]'), "adapter-mismatch", "target_modules"],
      ["a target more than the file has", value("target_modules", '["query","value","key"]'), "tensor-missing", "key"],
      ["a target less", value("target_modules", '["query"]'), "tensor-unexpected", "value"],
      ["layers that no encoder has", value("layers_to_transform", "[4294967296]"), "adapter-mismatch", "target_modules"],
      ["a layer of 2^53", value("layers_to_transform", "[9007199254740992]"), "config-invalid", "layers_to_transform"],
      ["10,000 layers", value("layers_to_transform", JSON.stringify(Array.from({ length: 10_000 }, (_, i) => i))), "config-invalid", "layers_to_transform"],
      ["a field that changes the maths", value("use_qalora", "true"), "adapter-unsupported", "use_qalora"],
      ["base weights that were changed", value("init_lora_weights", '"pissa"'), "adapter-unsupported", "pissa"],
      ["parts of the encoder as its own", value("modules_to_save", '["query"]'), "adapter-unsupported", "query"],
    ]),
  ];
}

export function labelAttacks(config: Uint8Array): Attack[] {
  const table = (text: string): Uint8Array => replaced(config, /"id2label":\{[^}]*\}/, `"id2label":${text}`);
  return [
    ...traps("labels", config, 16 * MIB),
    ...rows("labels", [
      ["a list of labels", table('["a","b"]'), "config-invalid", "an object"],
      ["one label less than the head has", table('{"0":"a"}'), "labels-mismatch", "1 labels"],
      ["a label twice", table('{"0":"a","1":"a","2":"b"}'), "labels-mismatch", '"a"'],
      ["a label with half a character", table('{"0":"\\ud800","1":"a","2":"b"}'), "config-invalid", "surrogate"],
      ["a number of every spelling", table('{"00":"a","1":"b","2":"c"}'), "config-invalid", '"00"'],
      ["a prototype as a label's number", table('{"__proto__":"a","1":"b","2":"c"}'), "config-invalid", "__proto__"],
      ["a label number of 2^53", table('{"9007199254740993":"a","1":"b","2":"c"}'), "config-invalid"],
      ["labels that are fractions", table('{"0":0.5,"1":1,"2":2}'), "config-invalid", "a string"],
      ["a label of 1e400", table('{"0":1e400,"1":1,"2":2}'), "config-invalid", "a string"],
      ["no labels at all", utf8("{}"), "labels-mismatch", "no labels"],
      ["a problem that is none", replaced(config, '"problem_type":null', '"problem_type":"toString"'), "config-invalid", "problem_type"],
    ]),
  ];
}

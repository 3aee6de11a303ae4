import { MAX_PIECE_UNITS } from "../limits.ts";
import { BertEncoder } from "./bert-encoder.ts";
import type { BertNormalizerOptions } from "./bert-normalizer.ts";
import { ByteLevelEncoder } from "./byte-level-encoder.ts";
import {
  field,
  invalid,
  isObject,
  readArray,
  readFlag,
  readId,
  readObject,
  readPiece,
  readString,
  readVocabulary,
  shown,
  typeOf,
  type JsonObject,
} from "./json-reader.ts";
import { BPE, ByteLevelPreTokenizer } from "./library.ts";
import type { SegmentEncoder } from "./segment-encoder.ts";
import { readUnigramEncoder } from "./unigram-json.ts";
import { splitVocabulary } from "./word-piece.ts";

export type TokenizerKind = "WordPiece" | "BPE" | "Unigram";

/** What tokenizer.json and tokenizer_config.json describe. */
export interface TokenizerParts {
  readonly kind: TokenizerKind;
  readonly encoder: SegmentEncoder;
  /** Largest id of the model's vocabulary, plus 1. */
  readonly modelSize: number;
  /** The id of a piece of the model's vocabulary. */
  readonly idOf: (piece: string) => number | undefined;
}

/** The classes that transformers reads tokenizer.json alone for: no other part of it comes from their configuration. */
const GENERIC_CLASSES: ReadonlySet<unknown> = new Set(["PreTrainedTokenizerFast", "TokenizersBackend"]);

/**
 * Reads the model, normaliser and pre-tokenizer. tokenizer_config.json has the last word on letter case, accents, Chinese
 * characters and the prefix space, as in the reference, whose tokenizer classes of a model set these from it.
 */
export function readTokenizerParts(json: JsonObject, tokenizerConfig: JsonObject, cacheWords: number): TokenizerParts {
  const config = GENERIC_CLASSES.has(field(tokenizerConfig, "tokenizer_class")) ? {} : tokenizerConfig;
  const model = readObject(field(json, "model"), "model");
  const kind = kindOf(model);
  if (kind === "WordPiece") return readWordPiece(json, model, config, cacheWords);
  if (kind === "BPE") return readByteLevel(json, model, config, cacheWords);
  const unigram = readUnigramEncoder(json, model, cacheWords);
  return { kind, ...unigram };
}

/** Files of early versions have no type; then the shape tells. */
function kindOf(model: JsonObject): TokenizerKind {
  const type = field(model, "type");
  if (type === "WordPiece" || type === "BPE" || type === "Unigram") return type;
  if (type !== undefined) throw invalid(`model is of type ${shown(type)}`);
  if (Array.isArray(field(model, "vocab"))) return "Unigram";
  return field(model, "merges") === undefined ? "WordPiece" : "BPE";
}

function largestId(vocab: ReadonlyMap<string, number>): number {
  let largest = 0;
  for (const id of vocab.values()) if (id > largest) largest = id;
  return largest;
}

function readWordPiece(json: JsonObject, model: JsonObject, config: JsonObject, cacheWords: number): TokenizerParts {
  const preTokenizer = typeOf(field(json, "pre_tokenizer"));
  if (preTokenizer !== "BertPreTokenizer") throw invalid(`pre_tokenizer of a WordPiece model is of type ${shown(preTokenizer)}`);
  const vocab = readVocabulary(field(model, "vocab"), "model.vocab");
  const prefix = readString(field(model, "continuing_subword_prefix") ?? "##", "model.continuing_subword_prefix");
  for (const piece of vocab.keys()) if (piece.length > MAX_PIECE_UNITS) readPiece(piece, MAX_PIECE_UNITS, `model.vocab[${shown(piece)}]`);
  const unknownId = vocab.get(readString(field(model, "unk_token") ?? "[UNK]", "model.unk_token"));
  if (unknownId === undefined) throw invalid("model.unk_token is not in model.vocab");
  const maxWordCodePoints = readId(field(model, "max_input_chars_per_word") ?? 100, "model.max_input_chars_per_word");
  const vocabulary = { ...splitVocabulary(vocab, prefix), unknownId, maxWordCodePoints };
  const encoder = new BertEncoder(readBertNormalizer(field(json, "normalizer"), config), vocabulary, cacheWords);
  return { kind: "WordPiece", encoder, modelSize: largestId(vocab) + 1, idOf: (piece) => vocab.get(piece) };
}

function readBertNormalizer(part: unknown, config: JsonObject): BertNormalizerOptions {
  const type = typeOf(part);
  if (type === "none") return { cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false };
  if (type !== "BertNormalizer") throw invalid(`normalizer of a WordPiece model is of type ${shown(type)}`);
  const object = part as JsonObject;
  const flag = (name: string, override: string, fallback: boolean): boolean =>
    readFlag(field(config, override) ?? field(object, name), fallback, `normalizer.${name}`);
  const lowercase = flag("lowercase", "do_lower_case", true);
  // Null is a word on accents too: as letter case.
  const accents = field(config, "strip_accents");
  const stripAccents = accents === undefined ? field(object, "strip_accents") : accents;
  return {
    cleanText: readFlag(field(object, "clean_text"), true, "normalizer.clean_text"),
    handleChineseChars: flag("handle_chinese_chars", "tokenize_chinese_chars", true),
    stripAccents: readFlag(stripAccents, lowercase, "normalizer.strip_accents"),
    lowercase,
  };
}

function readByteLevel(json: JsonObject, model: JsonObject, config: JsonObject, cacheWords: number): TokenizerParts {
  const preTokenizer = field(json, "pre_tokenizer");
  if (typeOf(preTokenizer) !== "ByteLevel" || !isObject(preTokenizer)) {
    throw invalid(`pre_tokenizer of a BPE model is of type ${shown(typeOf(preTokenizer))}`);
  }
  const normalizer = typeOf(field(json, "normalizer"));
  if (normalizer !== "none") throw invalid(`normalizer of a BPE model is of type ${shown(normalizer)}`);
  if (!readFlag(field(preTokenizer, "use_regex"), true, "pre_tokenizer.use_regex")) {
    throw invalid("pre_tokenizer.use_regex is false");
  }
  for (const name of ["dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"]) {
    if (field(model, name)) throw invalid(`model.${name} of a BPE model is set`);
  }
  const vocab = readVocabulary(field(model, "vocab"), "model.vocab");
  const bpe = new BPE({
    type: "BPE",
    vocab: {},
    merges: readMerges(field(model, "merges"), vocab),
    ignore_merges: readFlag(field(model, "ignore_merges"), false, "model.ignore_merges"),
  });
  bpe.tokens_to_ids = vocab;
  const hasPrefixSpace = field(config, "add_prefix_space") ?? field(preTokenizer, "add_prefix_space");
  const addPrefixSpace = readFlag(hasPrefixSpace, true, "pre_tokenizer.add_prefix_space");
  const encoder = new ByteLevelEncoder(bpe, addPrefixSpace, cacheWords);
  return { kind: "BPE", encoder, modelSize: largestId(vocab) + 1, idOf: (piece) => vocab.get(piece) };
}

/** Merges as pairs, whichever of the two written forms the file has; every byte and every product must have an id. */
function readMerges(value: unknown, vocab: ReadonlyMap<string, number>): [string, string][] {
  for (const character of Object.values(new ByteLevelPreTokenizer({ type: "ByteLevel" }).byte_encoder)) {
    if (!vocab.has(character)) throw invalid(`model.vocab lacks the byte character ${JSON.stringify(character)}`);
  }
  return readArray(value, "model.merges").map((merge, i) => {
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    const [left, right, ...rest] = readArray(pair, `model.merges[${i}]`);
    if (typeof left !== "string" || typeof right !== "string" || rest.length > 0 || !vocab.has(left + right)) {
      throw invalid(`model.merges[${i}] is not two pieces whose product is in model.vocab`);
    }
    return [left, right];
  });
}

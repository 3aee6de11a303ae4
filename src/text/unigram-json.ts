import { MAX_ADDED_TOKEN_UNITS, MAX_NORMALIZER_STEPS, MAX_PIECE_UNITS } from "../limits.ts";
import { CharsMap } from "./charsmap.ts";
import { invalid, field, isObject, readArray, readFlag, readId, readObject, readPiece, readShortArray, readString, shown, typeOf, type JsonObject } from "./json-reader.ts";
import type { TokenizerParts } from "./tokenizer-json.ts";
import { readUnigram } from "./unigram.ts";
import { UnigramEncoder, type MetaspaceOptions } from "./unigram-encoder.ts";
import { clusterStep, type NormalizerStep } from "./unigram-normalizer.ts";

/** Reads a Unigram folder (XLM-R, ALBERT). */
export function readUnigramEncoder(
  json: JsonObject,
  model: JsonObject,
  cacheWords: number,
): Omit<TokenizerParts, "kind"> {
  if (field(model, "byte_fallback")) throw invalid("model.byte_fallback of a Unigram model is set");
  const rows = readArray(field(model, "vocab"), "model.vocab").map((row, i): [string, number] => {
    const [piece, score] = readArray(row, `model.vocab[${i}]`);
    if (typeof piece !== "string" || typeof score !== "number" || !Number.isFinite(score)) {
      throw invalid(`model.vocab[${i}] is not [piece, score]`);
    }
    if (piece.length > MAX_PIECE_UNITS) readPiece(piece, MAX_PIECE_UNITS, `model.vocab[${i}]`);
    return [piece, score];
  });
  const unknownId = readId(field(model, "unk_id"), "model.unk_id");
  if (unknownId >= rows.length) throw invalid(`model.unk_id is ${unknownId} but model.vocab has ${rows.length} pieces`);
  const steps = readSteps(field(json, "normalizer"));
  const metaspace = readMetaspace(field(json, "pre_tokenizer"));
  const vocabulary = readUnigram(rows, unknownId);
  const encoder = new UnigramEncoder(steps, metaspace, vocabulary, cacheWords);
  return { encoder, modelSize: rows.length, idOf: (piece) => vocabulary.pieces.get(piece)?.id };
}

function readSteps(part: unknown): NormalizerStep[] {
  const type = typeOf(part);
  if (type === "none") return [];
  const object = readObject(part, "normalizer");
  if (type === "Sequence") {
    return readShortArray(field(object, "normalizers"), MAX_NORMALIZER_STEPS, "normalizer.normalizers").flatMap((inner) => {
      if (typeOf(inner) === "Sequence") throw invalid("normalizer is a Sequence within a Sequence");
      return readSteps(inner);
    });
  }
  if (type === "Precompiled") return [{ type: "charsmap", map: new CharsMap(field(object, "precompiled_charsmap")) }];
  if (type === "Replace") return [readReplace(object)];
  if (type === "Strip") {
    const left = readFlag(field(object, "strip_left"), true, "normalizer.strip_left");
    const right = readFlag(field(object, "strip_right"), true, "normalizer.strip_right");
    return [{ type: "strip", left, right }];
  }
  const step = clusterStep(type);
  if (step === null) throw invalid(`normalizer of a Unigram model is of type ${shown(type)}`);
  return [step];
}

/** A fixed string, or the one expression that SentencePiece folders use: any other could take exponential time. */
function readReplace(object: JsonObject): NormalizerStep {
  const pattern = field(object, "pattern");
  const content = readPiece(field(object, "content"), MAX_ADDED_TOKEN_UNITS, "normalizer.content");
  const text = isObject(pattern) ? field(pattern, "String") : undefined;
  const expression = isObject(pattern) ? field(pattern, "Regex") : undefined;
  if (typeof text === "string" && text !== "") {
    readPiece(text, MAX_ADDED_TOKEN_UNITS, "normalizer.pattern");
    return { type: "replace", pattern: new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "g"), content };
  }
  if (expression === " {2,}") return { type: "replace", pattern: / {2,}/g, content };
  throw invalid(`normalizer Replace has the pattern ${shown(pattern)}; fixed strings and the Regex " {2,}" are read`);
}

function readMetaspace(part: unknown): MetaspaceOptions {
  let metaspace = part;
  const splitsWhiteSpace = typeOf(part) === "Sequence";
  if (splitsWhiteSpace) {
    const steps = readArray(field(part as JsonObject, "pretokenizers"), "pre_tokenizer.pretokenizers");
    if (steps.length !== 2 || typeOf(steps[0]) !== "WhitespaceSplit") {
      throw invalid(`pre_tokenizer is a Sequence of ${shown(steps.map(typeOf).join(", "))}`);
    }
    metaspace = steps[1];
  }
  if (typeOf(metaspace) !== "Metaspace") {
    throw invalid(`pre_tokenizer of a Unigram model is of type ${shown(typeOf(metaspace))}`);
  }
  const object = metaspace as JsonObject;
  const replacement = readString(field(object, "replacement") ?? "▁", "pre_tokenizer.replacement");
  if (replacement.length !== 1) throw invalid("pre_tokenizer.replacement is not one character");
  if (!readFlag(field(object, "split"), true, "pre_tokenizer.split")) throw invalid("pre_tokenizer.split is false");
  const fallback = readFlag(field(object, "add_prefix_space"), true, "pre_tokenizer.add_prefix_space") ? "always" : "never";
  const prependScheme = field(object, "prepend_scheme") ?? fallback;
  if (prependScheme !== "always" && prependScheme !== "first" && prependScheme !== "never") {
    throw invalid(`pre_tokenizer.prepend_scheme is ${shown(prependScheme)}`);
  }
  return { replacement, prependScheme, splitsWhiteSpace };
}

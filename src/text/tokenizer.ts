import { RootstockError } from "../errors.ts";
import { MAX_ADDED_TOKEN_UNITS, MAX_TEXT_UNITS } from "../limits.ts";
import { AddedTokenSplitter, type AddedToken } from "./added-tokens.ts";
import { readAddedTokens } from "./added-tokens-json.ts";
import { EncodingBuilder, type Encoded, type Template } from "./encoding.ts";
import { field, readObject, readPiece } from "./json-reader.ts";
import { STARTS_WORD } from "./pieces.ts";
import { readTemplate } from "./post-processor.ts";
import type { SegmentEncoder, SegmentPlace } from "./segment-encoder.ts";
import { readTokenizerParts, type TokenizerKind } from "./tokenizer-json.ts";

/** Words kept in the cache: English running text repeats nearly all of its words within this many; 3 MB when full. */
const CACHE_WORDS = 16_384;

export interface EncodeOptions {
  /** Most tokens of the result, the special ones of the model included; later tokens are left out. Default: all. */
  readonly maxTokens?: number;
}

/** Turns text into token ids with UTF-16 offsets and words. Holds a cache, but results never depend on it. */
export interface TextTokenizer {
  readonly kind: TokenizerKind;
  /** One more than the largest id that `encode` can give: the embedding table must have this many rows. */
  readonly vocabSize: number;
  /** Special tokens that are put around every text. */
  readonly specialTokenCount: number;
  /**
   * Encodes a text. The empty text gives the special tokens alone.
   *
   * Added tokens are found in what the text says, special ones too: a typed "[SEP]" is the token [SEP], as in the reference
   * tokenizer. It is a word of its own.
   * @throws RootstockError `text-too-long` past `MAX_TEXT_UNITS` UTF-16 units; `argument-invalid`.
   */
  encode(text: string, options?: EncodeOptions): Encoded;
  /**
   * Encodes words already split, as data sets for entity recognition have them: each entry is one word, whatever it holds
   * (inner punctuation, white space, nothing), and is tokenised on its own, as the reference does with
   * `is_split_into_words`. Offsets count in the entries joined by one space. `words[i]` is entry i; an entry without
   * tokens, or whose tokens were all cut, has `tokenCount` 0 and `firstToken` −1.
   * @throws as `encode`.
   */
  encodeWords(tokens: readonly string[], options?: EncodeOptions): Encoded;
}

/**
 * Makes a tokenizer of the files of a Hugging Face folder.
 *
 * @param tokenizerJson tokenizer.json, parsed. Its `truncation` and `padding` are not used.
 * @param tokenizerConfig tokenizer_config.json, parsed, or null.
 * @param cacheWords most words (runs without white space) whose tokens are kept; 0 keeps none.
 * @throws RootstockError `tokenizer-invalid` for a kind that is not read, or a file of the wrong shape.
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown, cacheWords = CACHE_WORDS): TextTokenizer {
  const json = readObject(tokenizerJson, "the file");
  const config = tokenizerConfig === null ? {} : readObject(tokenizerConfig, "tokenizer_config.json");
  const parts = readTokenizerParts(json, config, cacheWords);
  const template = readTemplate(field(json, "post_processor"));
  return new HuggingFaceTokenizer(
    parts.kind,
    parts.encoder,
    parts.modelSize,
    template,
    readAddedTokens(json, config, parts.idOf),
  );
}

class HuggingFaceTokenizer implements TextTokenizer {
  readonly kind: TokenizerKind;
  readonly vocabSize: number;
  readonly specialTokenCount: number;
  readonly #encoder: SegmentEncoder;
  readonly #template: Template;
  readonly #rawSplitter: AddedTokenSplitter;
  /** Null when no added token is looked for after normalisation, which is the rule. */
  readonly #normalizedSplitter: AddedTokenSplitter | null;

  constructor(
    kind: TokenizerKind,
    encoder: SegmentEncoder,
    modelSize: number,
    template: Template,
    addedTokens: readonly AddedToken[],
  ) {
    this.kind = kind;
    this.#encoder = encoder;
    this.#template = template;
    const ids = [...addedTokens.map((token) => token.id), ...template.prefix, ...template.suffix];
    this.vocabSize = ids.reduce((size, id) => Math.max(size, id + 1), modelSize);
    this.specialTokenCount = template.prefix.length + template.suffix.length;
    const normalized = addedTokens.filter((token) => token.normalized);
    this.#rawSplitter = new AddedTokenSplitter(addedTokens.filter((token) => !token.normalized));
    this.#normalizedSplitter =
      normalized.length === 0
        ? null
        : new AddedTokenSplitter(
            normalized.map((token) => ({ ...token, content: readPiece(encoder.normalize(token.content).text, MAX_ADDED_TOKEN_UNITS, "a normalised added token") })),
          );
  }

  encode(text: string, options: EncodeOptions = {}): Encoded {
    if (typeof text !== "string") throw new RootstockError("argument-invalid", "a text must be a string.");
    checkLength(text.length);
    const builder = this.#builder(options);
    this.#encodeInto(text, 0, false, builder);
    return builder.build();
  }

  encodeWords(tokens: readonly string[], options: EncodeOptions = {}): Encoded {
    if (!Array.isArray(tokens) || tokens.some((token) => typeof token !== "string")) {
      throw new RootstockError("argument-invalid", "tokens must be a list of strings.");
    }
    checkLength(tokens.reduce((length, token) => length + token.length + 1, -1));
    const builder = this.#builder(options);
    let base = 0;
    for (const token of tokens) {
      builder.beginGivenWord(base, base + token.length);
      this.#encodeInto(token, base, true, builder);
      base += token.length + 1;
    }
    return builder.build();
  }

  #builder({ maxTokens }: EncodeOptions): EncodingBuilder {
    if (maxTokens === undefined) return new EncodingBuilder(this.#template, Infinity);
    if (!Number.isInteger(maxTokens) || maxTokens < this.specialTokenCount) {
      throw new RootstockError("argument-invalid", `maxTokens must be an integer from ${this.specialTokenCount} on, not ${maxTokens}.`);
    }
    return new EncodingBuilder(this.#template, maxTokens - this.specialTokenCount);
  }

  #encodeInto(text: string, base: number, isGivenWord: boolean, out: EncodingBuilder): void {
    for (const { id, start, end } of this.#rawSplitter.split(text)) {
      const place = { isFirst: start === 0, isGivenWord };
      if (id !== null) out.addToken(id, base + start, base + end, STARTS_WORD);
      else if (this.#normalizedSplitter === null) this.#encoder.encode(text.slice(start, end), base + start, place, out);
      else this.#encodeNormalized(this.#normalizedSplitter, text.slice(start, end), base + start, place, out);
    }
  }

  #encodeNormalized(splitter: AddedTokenSplitter, source: string, base: number, place: SegmentPlace, out: EncodingBuilder): void {
    const aligned = this.#encoder.normalize(source);
    for (const { id, start, end } of splitter.split(aligned.text)) {
      if (id === null) this.#encoder.encodeNormalized({ source, aligned, from: start, to: end }, base, place, out);
      else out.addToken(id, base + (aligned.start[start] as number), base + (aligned.end[end - 1] as number), STARTS_WORD);
    }
  }
}

function checkLength(units: number): void {
  if (units > MAX_TEXT_UNITS) {
    throw new RootstockError(
      "text-too-long",
      `the text has ${units} UTF-16 units; at most ${MAX_TEXT_UNITS} are taken. Split it into parts.`,
    );
  }
}

import { RootstockError } from "../errors.ts";
import type { Encoded, EncodedWord } from "../text/encoding.ts";
import { toCodePoints } from "./offsets.ts";
import { argmax } from "./scores.ts";
import { continuesEntity, leavesOpen, type TagScheme } from "./tags.ts";

/** One token with its label (`aggregation: "none"`). */
export interface Entity {
  /** The label as the head names it, prefix and all: `B-PER`. */
  entity: string;
  /** Probability in [0, 1]. */
  score: number;
  /** Position of the token in the sequence, special tokens counted. */
  index: number;
  /** The surface form: `text.slice(start, end)` in UTF-16 units. */
  word: string;
  /** First unit of the range; UTF-16 units, or code points with `offsets: "codepoint"`. */
  start: number;
  /** One past the last. */
  end: number;
}

/** One entity (`aggregation` other than `"none"`). */
export interface EntityGroup {
  /** The label without its prefix: `PER`. */
  entity_group: string;
  /** Mean of the probabilities of its tokens (`"simple"`) or words, in [0, 1]. */
  score: number;
  /** The surface form: `text.slice(start, end)` in UTF-16 units. */
  word: string;
  /** First unit of the range; UTF-16 units, or code points with `offsets: "codepoint"`. */
  start: number;
  /** One past the last. */
  end: number;
}

/**
 * How the labels of tokens become entities:
 * - `none`: no grouping, one result a token;
 * - `simple`: neighbouring tokens of one type are one entity, even where that cuts a word;
 * - `first`, `average`, `max`: a word gets one label (that of its first token; the highest mean over its tokens; that of
 *   its surest token), then neighbouring words of one type are one entity.
 */
export type Aggregation = (typeof AGGREGATIONS)[number];

export const AGGREGATIONS = ["none", "simple", "first", "average", "max"] as const;
export const OFFSETS = ["utf16", "codepoint"] as const;

export interface EntityOptions {
  /** Default `"first"`: what token-classification heads are trained for. */
  readonly aggregation?: Aggregation | undefined;
  /** Left out of the result: labels for `none`, entity types for the others. Default `["O"]`. */
  readonly ignoreLabels?: readonly string[] | undefined;
  /** What `start` and `end` count. Default `"utf16"`; `"codepoint"` equals Python's string indices. */
  readonly offsets?: "utf16" | "codepoint" | undefined;
}

/** What decoding reads of an encoded text. */
export type TokenAlignment = Pick<Encoded, "tokenStart" | "tokenEnd" | "wordOfToken" | "words">;

/** The output of a token-classification head after softmax. */
export interface TokenScores {
  /** rows × classes. */
  readonly probabilities: Float32Array;
  /** The token that each row belongs to; without it, row i is token i. */
  readonly tokens?: Int32Array;
}

/** A token or word with its likeliest class. */
interface Labelled {
  readonly label: number;
  readonly score: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The tokens whose rows `decodeEntities` reads, in order: for `first` the first token of each word, else every token
 * of a word. A head need compute no other rows.
 */
export function tokensToScore(encoded: TokenAlignment, aggregation: Aggregation): Int32Array {
  const tokens: number[] = [];
  if (aggregation === "first") {
    for (const word of encoded.words) if (isPresent(word)) tokens.push(word.firstToken);
  } else {
    for (let token = 0; token < encoded.wordOfToken.length; token++) {
      if (encoded.wordOfToken[token]! >= 0) tokens.push(token);
    }
  }
  return Int32Array.from(tokens);
}

/**
 * The entities of one text, in text order, by the rules of the token-classification pipeline of Hugging Face
 * transformers. Different on purpose:
 * - `word` is the surface form, never pieces put together again;
 * - a word is what `encoded.words` says (the pipeline guesses from the lengths of pieces), and it keeps its whole range
 *   where its last tokens were cut off. A word whose first token was cut off is absent;
 * - a token of white space alone has no word and is passed over, as special tokens are;
 * - prefixes other than B and I are read as `tagScheme` says (the pipeline knows only B and I), and only a known prefix
 *   is taken off `entity_group`, not whatever stands before the first hyphen.
 *
 * Neighbouring words of one type are one entity unless the second begins with B. Means are taken in float64.
 *
 * @param text what the offsets of `encoded` count in; for a request of `tokens`, these joined by one space
 * @param options checked by the caller
 * @throws RootstockError `labels-mismatch` when rows × labels is not the number of probabilities, `argument-invalid`
 *   when a token that is needed has no row, `engine-fault` when a probability is NaN
 */
export function decodeEntities(
  scores: TokenScores,
  text: string,
  encoded: TokenAlignment,
  scheme: TagScheme,
  options: EntityOptions = {},
): Entity[] | EntityGroup[] {
  const { aggregation = "first", ignoreLabels = ["O"], offsets = "utf16" } = options;
  const ignored = new Set(ignoreLabels);
  if (aggregation === "none") {
    const entities = labelTokens(scores, encoded, scheme)
      .map(({ label, score, start, end, index }): Entity => {
        return { entity: scheme.labels[label]!, score, index, word: text.slice(start, end), start, end };
      })
      .filter((entity) => !ignored.has(entity.entity));
    return offsets === "codepoint" ? toCodePoints(text, entities) : entities;
  }
  const labelled =
    aggregation === "simple"
      ? labelTokens(scores, encoded, scheme).filter(({ start, end }) => start < end)
      : labelWords(scores, encoded, scheme, aggregation);
  const groups = groupEntities(labelled, text, scheme).filter((group) => !ignored.has(group.entity_group));
  return offsets === "codepoint" ? toCodePoints(text, groups) : groups;
}

function labelTokens(scores: TokenScores, encoded: TokenAlignment, scheme: TagScheme): (Labelled & { index: number })[] {
  const classes = scheme.labels.length;
  const rowOfToken = indexRows(scores, encoded, classes);
  const labelled: (Labelled & { index: number })[] = [];
  for (let index = 0; index < encoded.wordOfToken.length; index++) {
    if (encoded.wordOfToken[index]! < 0) continue;
    const offset = rowOf(rowOfToken, index) * classes;
    const label = argmax(scores.probabilities, offset, classes);
    const score = scores.probabilities[offset + label]!;
    labelled.push({ label, score, start: encoded.tokenStart[index]!, end: encoded.tokenEnd[index]!, index });
  }
  return labelled;
}

/** One entry a word that has a token in the sequence. */
function labelWords(
  scores: TokenScores,
  encoded: TokenAlignment,
  scheme: TagScheme,
  aggregation: "first" | "average" | "max",
): Labelled[] {
  const classes = scheme.labels.length;
  const rowOfToken = indexRows(scores, encoded, classes);
  const mean = new Float64Array(classes);
  return encoded.words.filter(isPresent).map((word) => {
    const { start, end, firstToken } = word;
    const endToken = aggregation === "first" ? firstToken + 1 : firstToken + word.tokenCount;
    if (aggregation === "average") {
      averageRows(mean, scores.probabilities, rowOfToken, firstToken, endToken);
      const label = argmax(mean, 0, classes);
      return { label, score: mean[label]!, start, end };
    }
    let best: Labelled | null = null;
    for (let token = firstToken; token < endToken; token++) {
      const offset = rowOf(rowOfToken, token) * classes;
      const label = argmax(scores.probabilities, offset, classes);
      const score = scores.probabilities[offset + label]!;
      if (best === null || score > best.score) best = { label, score, start, end };
    }
    return best!;
  });
}

function averageRows(
  mean: Float64Array,
  probabilities: Float32Array,
  rowOfToken: Int32Array,
  firstToken: number,
  endToken: number,
): void {
  mean.fill(0);
  for (let token = firstToken; token < endToken; token++) {
    const offset = rowOf(rowOfToken, token) * mean.length;
    for (let label = 0; label < mean.length; label++) mean[label]! += probabilities[offset + label]!;
  }
  for (let label = 0; label < mean.length; label++) mean[label]! /= endToken - firstToken;
}

function groupEntities(labelled: readonly Labelled[], text: string, scheme: TagScheme): EntityGroup[] {
  const groups: EntityGroup[] = [];
  let open: string | null = null;
  let members = 0;
  for (const { label, score, start, end } of labelled) {
    const tag = scheme.tags[label]!;
    const last = groups.at(-1);
    if (last !== undefined && continuesEntity(tag, open)) {
      last.score += score;
      last.end = end;
      members++;
    } else {
      if (last !== undefined) last.score /= members;
      groups.push({ entity_group: tag.type, score, word: "", start, end });
      members = 1;
    }
    open = leavesOpen(tag) ? tag.type : null;
  }
  const last = groups.at(-1);
  if (last !== undefined) last.score /= members;
  for (const group of groups) group.word = text.slice(group.start, group.end);
  return groups;
}

/** The row of each token, -1 for a token that was not scored. */
function indexRows(scores: TokenScores, encoded: TokenAlignment, classes: number): Int32Array {
  const rows = scores.tokens?.length ?? encoded.wordOfToken.length;
  if (scores.probabilities.length !== rows * classes) {
    throw new RootstockError(
      "labels-mismatch",
      `${rows} tokens and ${classes} labels need ${rows * classes} probabilities, not ${scores.probabilities.length}. ` +
        "Give one label per class of the head, in order.",
    );
  }
  const rowOfToken = new Int32Array(encoded.wordOfToken.length).fill(-1);
  for (let row = 0; row < rows; row++) {
    const token = scores.tokens === undefined ? row : scores.tokens[row]!;
    if (token >= 0 && token < rowOfToken.length) rowOfToken[token] = row;
  }
  return rowOfToken;
}

function rowOf(rowOfToken: Int32Array, token: number): number {
  const row = rowOfToken[token] ?? -1;
  if (row < 0) {
    throw new RootstockError(
      "argument-invalid",
      `Token ${token} has no row of probabilities. Score the tokens that tokensToScore() names for this aggregation.`,
    );
  }
  return row;
}

/** Whether any token of the word is in the sequence: words given by the caller may be cut off or leave nothing. */
function isPresent(word: EncodedWord): boolean {
  return word.tokenCount > 0;
}

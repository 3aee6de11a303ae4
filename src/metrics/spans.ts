import { RootstockError } from "../errors.ts";
import { continuesEntity, leavesOpen, splitTag, type Tag } from "../heads/tags.ts";
import { LabelCounts, rates, type LabelRates } from "./rates.ts";

/** An entity as a half-open range of words. */
export interface WordSpan {
  label: string;
  start: number;
  end: number;
}

export interface SpanReport {
  /** Micro averages over exact spans (same label, same first and last word), in [0, 1]; 0 where nothing is to be found. */
  precision: number;
  recall: number;
  f1: number;
  /** Gold spans. */
  support: number;
  /** Every label with a gold or predicted span, sorted. */
  perLabel: LabelRates[];
}

/** What seqeval calls a span whose tag has a position and no type ("B", "I-"). */
const UNTYPED = "_";

/**
 * Reads a tag of a data set. Unlike the labels of a head there is no list to look into, so E, S, L, U are always
 * prefixes, as B and I are; a bare letter B, I, E or S is a position without a type.
 */
function readTag(tag: string): Tag {
  const split = splitTag(tag);
  if (split !== null) return { position: split.position, type: split.type || UNTYPED };
  if (tag === "B" || tag === "I" || tag === "E" || tag === "S") return { position: tag, type: UNTYPED };
  return { position: "I", type: tag };
}

/**
 * The spans of one sentence's tags, by the rule of conlleval (seqeval's default): an `I-X` that follows no open span of
 * type X begins one, so tags that are not well-formed BIO still have one reading. BIO, IOB1, IOBES and BILOU are read; a
 * tag without a prefix is its own type. `O` is outside.
 */
export function tagsToSpans(tags: readonly string[]): WordSpan[] {
  const spans: WordSpan[] = [];
  let open: string | null = null;
  tags.forEach((text, word) => {
    if (text === "O") {
      open = null;
      return;
    }
    const tag = readTag(text);
    if (continuesEntity(tag, open)) spans.at(-1)!.end = word + 1;
    else spans.push({ label: tag.type, start: word, end: word + 1 });
    open = leavesOpen(tag) ? tag.type : null;
  });
  return spans;
}

/** A sentence's tags with the types of entities that were cut off with its end: they are gold, and not found. */
export function withLost(gold: readonly string[], predicted: readonly string[], lost: readonly string[]): { gold: string[]; predicted: string[] } {
  const cut = lost.flatMap((type) => ["O", `B-${type}`]);
  return { gold: [...gold, ...cut], predicted: [...predicted, ...cut.map(() => "O")] };
}

/**
 * Span precision, recall and F1 over sentences, as seqeval computes them in its default (not strict) mode.
 *
 * @param gold one list of tags a sentence
 * @param predicted the same words in the same order; a word that was not scored is `O`
 * @throws RootstockError `argument-invalid` when there are no sentences or the words do not match
 */
export function spanReport(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): SpanReport {
  if (gold.length === 0 || gold.length !== predicted.length) {
    throw new RootstockError(
      "argument-invalid",
      `${gold.length} gold and ${predicted.length} predicted sentences cannot be compared: give one of each per sentence.`,
    );
  }
  const counts = new LabelCounts();
  gold.forEach((goldTags, sentence) => {
    const predictedTags = predicted[sentence]!;
    if (goldTags.length !== predictedTags.length) {
      throw new RootstockError(
        "argument-invalid",
        `Sentence ${sentence} has ${goldTags.length} gold tags and ${predictedTags.length} predicted ones: ` +
          "give one per word, O for a word that was not scored.",
      );
    }
    countSpans(counts, tagsToSpans(goldTags), tagsToSpans(predictedTags));
  });
  return { ...rates(counts.total()), perLabel: counts.rows() };
}

function countSpans(counts: LabelCounts, gold: readonly WordSpan[], predicted: readonly WordSpan[]): void {
  // Spans of one sentence never overlap, so the first word names at most one.
  const goldAt = new Map(gold.map((span) => [span.start, span]));
  for (const { label } of gold) counts.of(label).gold++;
  for (const { label, start, end } of predicted) {
    counts.of(label).predicted++;
    const other = goldAt.get(start);
    if (other?.label === label && other.end === end) counts.of(label).correct++;
  }
}

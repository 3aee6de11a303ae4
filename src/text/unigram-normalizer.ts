import { AlignedTextBuilder, type AlignedText } from "./aligned-text.ts";
import { isWhiteSpace } from "./char-class.ts";
import type { CharsMap, Replacement } from "./charsmap.ts";
import {
  LowercaseNormalizer,
  NFCNormalizer,
  NFDNormalizer,
  NFKCNormalizer,
  NFKDNormalizer,
  type Normalizer,
  StripAccentsNormalizer,
} from "./library.ts";

/** One step of the normaliser of a Unigram folder. */
export type NormalizerStep =
  | { readonly type: "cluster"; readonly normalizer: Normalizer }
  | { readonly type: "charsmap"; readonly map: CharsMap }
  | { readonly type: "replace"; readonly pattern: RegExp; readonly content: string }
  | { readonly type: "strip"; readonly left: boolean; readonly right: boolean };

const CLUSTER_NORMALIZERS: ReadonlyMap<string, new (config: { readonly type: string }) => Normalizer> = new Map([
  ["NFC", NFCNormalizer],
  ["NFD", NFDNormalizer],
  ["NFKC", NFKCNormalizer],
  ["NFKD", NFKDNormalizer],
  ["Lowercase", LowercaseNormalizer],
  ["StripAccents", StripAccentsNormalizer],
]);

/** The step of a type that works on a character with its marks, or null when there is no such type. */
export function clusterStep(type: string): NormalizerStep | null {
  const Class = CLUSTER_NORMALIZERS.get(type);
  return Class === undefined ? null : { type: "cluster", normalizer: new RememberingNormalizer(new Class({ type })) };
}

/**
 * A character and what may compose with it: marks, half-width voicing marks, conjoining Hangul vowels and finals. At
 * most 30 of them, the bound of Unicode's stream-safe text (UAX 15), so that no cluster is normalised in quadratic time.
 */
const CLUSTER = /[\s\S][\p{M}\uFF9E\uFF9F\u1160-\u11FF]{0,30}/uy;

/** Keeps a normaliser's answers for the single units below U+0100, which are most of what it is asked. */
class RememberingNormalizer implements Normalizer {
  readonly #normalizer: Normalizer;
  readonly #known: (string | undefined)[] = [];

  constructor(normalizer: Normalizer) {
    this.#normalizer = normalizer;
  }

  normalize(text: string): string {
    const unit = text.length === 1 ? text.charCodeAt(0) : 0x100;
    if (unit >= 0x100) return this.#normalizer.normalize(text);
    return (this.#known[unit] ??= this.#normalizer.normalize(text));
  }
}

/** Runs the steps in order, keeping the sources. */
export function normalizeUnigram(text: string, steps: readonly NormalizerStep[]): AlignedText {
  let aligned = identity(text);
  for (const step of steps) {
    if (step.type === "cluster") aligned = withReplacements(aligned, clusterReplacements(aligned.text, step.normalizer));
    else if (step.type === "charsmap") aligned = withReplacements(aligned, step.map.replacements(aligned.text));
    else if (step.type === "replace") aligned = replaceAll(aligned, step.pattern, step.content);
    else aligned = strip(aligned, step.left, step.right);
  }
  return aligned;
}

function identity(text: string): AlignedText {
  const start: number[] = [];
  const end: number[] = [];
  for (let at = 0; at < text.length; ) {
    const units = (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
    for (let i = 0; i < units; i++) {
      start.push(at);
      end.push(at + units);
    }
    at += units;
  }
  return { text, start, end };
}

function* clusterReplacements(text: string, normalizer: Normalizer): Generator<Replacement> {
  const pattern = new RegExp(CLUSTER); // one of its own: a sticky expression holds its place
  for (let from = 0; from < text.length; ) {
    const to = clusterEnd(text, from, pattern);
    const cluster = text.slice(from, to);
    const normalized = normalizer.normalize(cluster);
    if (normalized !== cluster) yield { from, to, text: normalized };
    from = to;
  }
}

function withReplacements(source: AlignedText, replacements: Iterable<Replacement>): AlignedText {
  const { text } = source;
  const out = new AlignedTextBuilder();
  let copied = 0; // everything before is in `out`; what stays is copied in long stretches
  for (const { from, to, text: replacement } of replacements) {
    const replaced = text.slice(from, to);
    const same = sameUnits(replaced, replacement);
    out.copy(source, copied, from + same);
    copied = to;
    const start = source.start[from + same] as number;
    const end = source.end[to - 1] as number;
    const rest = replacement.slice(same);
    if (rest !== "") out.push(rest, start, end);
    else if (same > 0 || /^\p{M}/u.test(replaced)) out.attach(start, end);
  }
  if (copied === 0) return source;
  out.copy(source, copied, text.length);
  return out.build();
}

/** Units at the front that were left alone, of whole characters and not all of them: they keep their own sources. */
function sameUnits(cluster: string, normalized: string): number {
  let same = 0;
  while (same < cluster.length - 1 && cluster[same] === normalized[same]) same++;
  return (cluster.charCodeAt(same) & 0xfc00) === 0xdc00 ? Math.max(0, same - 1) : same;
}

function clusterEnd(text: string, from: number, pattern: RegExp): number {
  // Nothing below U+0300 joins a cluster, so most of a text needs no expression.
  if (text.charCodeAt(from) < 0x300 && !(text.charCodeAt(from + 1) >= 0x300)) return from + 1;
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}

function replaceAll(source: AlignedText, pattern: RegExp, content: string): AlignedText {
  const out = new AlignedTextBuilder();
  let at = 0;
  for (const match of source.text.matchAll(pattern)) {
    const end = match.index + match[0].length;
    out.copy(source, at, match.index);
    out.push(content, source.start[match.index] as number, source.end[end - 1] as number);
    at = end;
  }
  if (at === 0) return source;
  out.copy(source, at, source.text.length);
  return out.build();
}

function strip(source: AlignedText, left: boolean, right: boolean): AlignedText {
  let from = 0;
  let to = source.text.length;
  while (left && from < to && isWhiteSpace(source.text.charCodeAt(from))) from++;
  while (right && to > from && isWhiteSpace(source.text.charCodeAt(to - 1))) to--;
  const out = new AlignedTextBuilder();
  out.copy(source, from, to);
  return out.build();
}

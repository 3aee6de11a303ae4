import { AlignedTextBuilder, type AlignedText } from "./aligned-text.ts";
import { decompose, isIdeograph, isNonspacingMark, isRemovedByCleanText, isWhiteSpace } from "./char-class.ts";

/** The fields of `BertNormalizer` in tokenizer.json; `stripAccents` already resolved (null means: as `lowercase`). */
export interface BertNormalizerOptions {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** White space that separates words: `clean_text` deletes some of Unicode's before it could separate anything. */
export function isSeparator(codePoint: number, cleanText: boolean): boolean {
  return isWhiteSpace(codePoint) && !(cleanText && isRemovedByCleanText(codePoint));
}

/**
 * BERT's normalisation, one code point at a time: decomposing and lower-casing a whole string is quadratic in its
 * combining marks (40,000 alternating ones: 735 ms on V8), turns a last Σ into ς where the reference gives σ, and loses the
 * offsets. Marks are dropped after decomposition, so their canonical order, which only a whole string has, matters for
 * spacing marks with a combining class alone (U+302E, U+302F, U+16FF0, U+16FF1 and musical signs).
 *
 * A dropped mark belongs to the character before it, so that a word keeps its accents in the source text; other
 * deleted characters (controls, zero-width ones) belong to nothing.
 */
export function normalizeBert(text: string, options: BertNormalizerOptions): AlignedText {
  const out = new AlignedTextBuilder();
  for (let at = 0; at < text.length; ) {
    const codePoint = text.codePointAt(at) as number;
    const end = at + (codePoint > 0xffff ? 2 : 1);
    if (codePoint < 0x80) pushAscii(out, codePoint, at, options);
    else pushOther(out, codePoint, at, end, options);
    at = end;
  }
  return out.build();
}

function pushAscii(out: AlignedTextBuilder, codePoint: number, at: number, options: BertNormalizerOptions): void {
  if (options.cleanText && isRemovedByCleanText(codePoint)) return;
  const isUpper = codePoint >= 0x41 && codePoint <= 0x5a;
  const isSpace = options.cleanText && isWhiteSpace(codePoint);
  out.push(isSpace ? " " : String.fromCharCode(isUpper && options.lowercase ? codePoint + 32 : codePoint), at, at + 1);
}

function pushOther(
  out: AlignedTextBuilder,
  codePoint: number,
  at: number,
  end: number,
  options: BertNormalizerOptions,
): void {
  if (options.cleanText) {
    if (isRemovedByCleanText(codePoint)) return;
    if (isWhiteSpace(codePoint)) return out.push(" ", at, end);
  }
  const isApart = options.handleChineseChars && isIdeograph(codePoint);
  if (isApart) out.push(" ", at, end);
  const parts = options.stripAccents ? decompose(codePoint) : String.fromCodePoint(codePoint);
  let kept = "";
  for (const part of parts) {
    if (options.stripAccents && isNonspacingMark(part.codePointAt(0) as number)) continue;
    kept += options.lowercase ? part.toLowerCase() : part;
  }
  if (kept === "") out.attach(at, end);
  else out.push(kept, at, end);
  if (isApart) out.push(" ", at, end);
}

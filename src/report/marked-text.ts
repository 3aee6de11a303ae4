import { html, type Markup } from "./markup.ts";

/** A range of a text, UTF-16, half open. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** What a mark says: both agree, it was expected and not predicted, or predicted and not expected. */
export type Verdict = "right" | "missed" | "wrong";

export interface Mark extends Span {
  readonly verdict: Verdict;
}

/** Spoken and shown to the pointer; the colours alone would not reach everyone. */
const WORDS: Readonly<Record<Verdict, string>> = { right: "right", missed: "missed", wrong: "not expected" };

/** Units of text that are shown on either side of what differs. */
const CONTEXT = 90;

/** The window of a text with its marks. Those that leave it or lie over an earlier one are left out. */
export function markedText(text: string, marks: readonly Mark[], { from, to }: { readonly from: number; readonly to: number }): Markup {
  const parts: Markup[] = [];
  let at = from;
  for (const { start, end, label, verdict } of inOrder(marks)) {
    if (!(start >= at && start < end && end <= to)) continue;
    parts.push(html`${text.slice(at, start)}<mark class="${verdict}" title="${`${label}, ${WORDS[verdict]}`}">${text.slice(start, end)}<b>${label}</b><span class="aside"> (${WORDS[verdict]})</span></mark>`);
    at = end;
  }
  parts.push(html`${text.slice(at, to)}`);
  return html`<span class="text" dir="auto">${from > 0 ? "… " : null}${parts}${to < text.length ? " …" : null}</span>`;
}

function inOrder<T extends Span>(spans: readonly T[]): T[] {
  return [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Marks of what was expected and of what was predicted, each with its verdict. */
export function compareSpans(expected: readonly Span[], predicted: readonly Span[]): { expected: Mark[]; predicted: Mark[] } {
  const key = ({ start, end, label }: Span): string => `${start} ${end} ${label}`;
  const marks = (spans: readonly Span[], others: readonly Span[], verdict: Verdict): Mark[] => {
    const known = new Set(others.map(key));
    return spans.map((span) => ({ ...span, verdict: known.has(key(span)) ? "right" : verdict }));
  };
  return { expected: marks(expected, predicted, "missed"), predicted: marks(predicted, expected, "wrong") };
}

/** The part of a text around all that differs, cut at spaces and at no mark. */
export function windowAround(text: string, marks: readonly Mark[]): { from: number; to: number } {
  const differing = marks.filter(({ verdict }) => verdict !== "right");
  if (differing.length === 0) return { from: 0, to: Math.min(text.length, 4 * CONTEXT) };
  let from = Math.max(0, Math.min(...differing.map(({ start }) => start)) - CONTEXT);
  let to = Math.min(text.length, Math.max(...differing.map(({ end }) => end)) + CONTEXT);
  if (from > 0) from = Math.max(from - CONTEXT, 0, text.lastIndexOf(" ", from) + 1);
  if (to < text.length) to = text.indexOf(" ", to) < 0 ? text.length : Math.min(text.indexOf(" ", to), to + CONTEXT);
  for (const { start, end } of marks) {
    if (start < from && end > from) from = Math.max(0, start);
    if (start < to && end > to) to = Math.min(text.length, end);
  }
  return { from, to };
}

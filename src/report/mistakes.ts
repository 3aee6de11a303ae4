import type { Mistake, TrainingHistory } from "../finetune/types.ts";
import { short } from "./figures.ts";
import { compareSpans, markedText, windowAround, type Span, type Verdict } from "./marked-text.ts";
import { html, type Content, type Markup } from "./markup.ts";
import type { Section } from "./page.ts";

const MOST_SHOWN = 30;
/** UTF-16 units of a text without marks. */
const MOST_UNITS = 600;

/** The worst mistakes in context. */
export function mistakesSection({ mistakes = [] }: TrainingHistory): Section[] {
  if (mistakes.length === 0) return [];
  const shown = mistakes.slice(0, MOST_SHOWN);
  return [{
    title: "Worst mistakes",
    lead: `The dev rows with the largest loss among those that are wrong, worst first${mistakes.length > shown.length ? `; ${shown.length} of ${mistakes.length}` : ""}. A mistake here is often one of the data.`,
    content: html`<ol class="mistakes">${shown.map((mistake) => html`<li>${answers(mistake)}<p class="loss">loss ${short(mistake.loss)}</p></li>
`)}</ol>`,
  }]; // prettier-ignore
}

function answers({ text, expected, predicted }: Mistake): Content {
  const gold = readSpans(expected);
  const found = readSpans(predicted);
  // Two empty lists are neither; then nothing differs that could be shown.
  if (gold !== null && found !== null && gold.length + found.length > 0) return spanAnswers(text, gold, found);
  return labelAnswers(text, readLabels(expected), readLabels(predicted));
}

function spanAnswers(text: string, gold: readonly Span[], found: readonly Span[]): Markup {
  const { expected, predicted } = compareSpans(gold, found);
  const window = windowAround(text, [...expected, ...predicted]);
  return html`<dl><dt>Expected</dt><dd>${markedText(text, expected, window)}</dd><dt>Predicted</dt><dd>${markedText(text, predicted, window)}</dd></dl>`;
}

function labelAnswers(text: string, expected: readonly string[], predicted: readonly string[]): Content {
  const list = (labels: readonly string[], others: readonly string[], verdict: Verdict): Content =>
    labels.length === 0
      ? html`<span class="soft">none</span>`
      : html`<ul class="labels">${labels.map((label) => html`<li class="${others.includes(label) ? "right" : verdict}">${label}</li>`)}</ul>`;
  const cut = text.length <= MOST_UNITS ? text : `${text.slice(0, MOST_UNITS)} …`;
  return [html`<p class="text" dir="auto">${cut}</p>`, html`<dl><dt>Expected</dt><dd>${list(expected, predicted, "missed")}</dd><dt>Predicted</dt><dd>${list(predicted, expected, "wrong")}</dd></dl>`];
}

function readSpans(value: unknown): Span[] | null {
  const isSpan = (item: unknown): item is Span => {
    if (typeof item !== "object" || item === null) return false;
    const { start, end, label } = item as Partial<Span>;
    return Number.isInteger(start) && Number.isInteger(end) && typeof label === "string";
  };
  return Array.isArray(value) && value.every(isSpan) ? value : null;
}

function readLabels(value: unknown): string[] {
  const isLabel = (item: unknown): item is string => typeof item === "string";
  return Array.isArray(value) ? value.filter(isLabel) : isLabel(value) ? [value] : [];
}

import type { Classification, Entity, EntityGroup, Results, TaskInfo } from "../index.ts";
import { toCodePoints } from "../heads/offsets.ts";
import { splitTag } from "../heads/tags.ts";
import { bar, table } from "./print-table.ts";
import { columns, markedPieces, printable, wrap, type Piece } from "./print-text.ts";
import type { Style } from "./print-style.ts";

export interface PrintOptions {
  readonly style: Style;
  /** Columns. */
  readonly width: number;
  /** What the offsets shown count; the results themselves are in UTF-16 units. */
  readonly offsets: "utf16" | "codepoint";
}

type Span = Entity | EntityGroup;

const BAR_COLUMNS = 12;
const MAX_NAME_COLUMNS = 24;

/** The results of one text for people: under each task's name the text with its entities marked, or the labels. */
export function printResults(text: string, results: Results, tasks: readonly TaskInfo[], options: PrintOptions): string {
  const { style, width } = options;
  const asked = tasks.filter(({ name }) => Object.hasOwn(results, name));
  const nameColumns = Math.min(MAX_NAME_COLUMNS, Math.max(0, ...asked.map(({ name }) => name.length)));
  const indent = nameColumns + 4;
  const lines: string[] = [];
  // The text by itself unless a task shows it with its marks.
  if (!asked.some(({ kind }) => kind === "token")) lines.push(...wrap([{ text: printable(text), paint: style.bold }], width));
  for (const task of asked) {
    const result = results[task.name]!;
    const body = task.kind === "token" ? printSpans(text, result as Span[], task, options, indent) : printLabels(result as Classification[], style);
    for (const [index, line] of body.entries()) {
      const name = index > 0 ? "" : task.name.length > nameColumns ? `${task.name.slice(0, nameColumns - 1)}…` : task.name;
      lines.push(`  ${style.dim(name.padEnd(nameColumns))}  ${line}`.trimEnd());
    }
  }
  return `${lines.join("\n")}\n`;
}

function printLabels(labels: readonly Classification[], style: Style): string[] {
  return labels.map(({ label, score }, index) => {
    const text = printable(label);
    return `${style.colour(bar(score, BAR_COLUMNS), 0)} ${score.toFixed(3)}  ${index === 0 ? style.bold(text) : text}`;
  });
}

function printSpans(text: string, spans: readonly Span[], task: TaskInfo, options: PrintOptions, indent: number): string[] {
  const { style, width } = options;
  const types = [...new Set(task.labels.map(withoutPrefix))];
  const colourOf = (label: string): number => Math.max(0, types.indexOf(withoutPrefix(label)) - (types[0] === "O" ? 1 : 0));
  const marks = spans.map((span) => ({ start: span.start, end: span.end, label: labelOf(span) }));
  const pieces = markedPieces(text, marks, ({ label }): { words: Piece["paint"]; rest: Piece["paint"] } => ({
    words: (part) => style.bold(style.colour(part, colourOf(label))),
    rest: (part) => style.colour(part, colourOf(label)),
  }));
  const shown = options.offsets === "codepoint" ? toCodePoints(text, [...spans]) : spans;
  const cells = shown.map((span) => [printable(labelOf(span)), `${span.start}-${span.end}`, span.score.toFixed(3), printable(span.word)]);
  const rows = table(cells, "lrrl").map((row) => style.dim(clip(row, width - indent)));
  return [...wrap(pieces, width - indent), ...rows];
}

function labelOf(span: Span): string {
  return "entity" in span ? span.entity : span.entity_group;
}

function withoutPrefix(label: string): string {
  return splitTag(label)?.type ?? label;
}

function clip(text: string, width: number): string {
  return columns(text) <= width ? text : `${[...text].slice(0, width - 1).join("")}…`;
}

import { orderOf } from "../../finetune/batches.ts";
import { splitTag } from "../../heads/tags.ts";

/** Of the rows, at most. */
const SHARE = 0.1;

/** The shuffles of epochs have the numbers below. */
const SHUFFLE = 0x7fffffff;

/**
 * Chooses the rows that dev is made of: a tenth, by the seed alone. Rows of equal text stay together, or dev would hold what was trained on;
 * and no label loses its last row, or training could not know it.
 *
 * @returns numbers of rows, from 0; none where there are fewer than ten
 */
export function holdOut(rows: readonly unknown[], seed: number): ReadonlySet<number> {
  const groups = groupByText(rows);
  const labels = rows.map(labelsOf);
  const left = new Map<string, number>();
  for (const label of labels.flatMap((own) => [...own])) left.set(label, (left.get(label) ?? 0) + 1);
  const wanted = Math.floor(rows.length * SHARE);
  const held = new Set<number>();
  for (const number of orderOf(groups.length, seed, SHUFFLE)) {
    const group = groups[number]!;
    const own = new Map<string, number>();
    for (const label of group.flatMap((row) => [...labels[row]!])) own.set(label, (own.get(label) ?? 0) + 1);
    if (held.size + group.length > wanted || [...own].some(([label, count]) => count === left.get(label))) continue;
    for (const row of group) held.add(row);
    for (const [label, count] of own) left.set(label, left.get(label)! - count);
  }
  return held;
}

function groupByText(rows: readonly unknown[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [row, value] of rows.entries()) {
    const text = textOf(value) ?? `row ${row}`;
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** Rows have not been checked: what is not of their form has no text and no labels, and is refused later. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | null {
  const { text, tokens } = fieldsOf(value);
  return typeof text === "string" ? text : Array.isArray(tokens) ? tokens.join(" ") : null;
}

function labelsOf(value: unknown): Set<string> {
  const { label, labels, spans, tags } = fieldsOf(value);
  const list = (given: unknown): unknown[] => (Array.isArray(given) ? given : []);
  const types = list(tags).map((tag) => (typeof tag === "string" ? splitTag(tag)?.type : undefined));
  const all = [label, ...list(labels), ...list(spans).map((span) => fieldsOf(span)["label"]), ...types];
  return new Set(all.filter((name) => typeof name === "string"));
}

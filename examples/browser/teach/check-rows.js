// What stands in the way of training, said of each row and of all; and which rows are held out.

/** Fewer teach nothing; more belong on the command line. */
const FEWEST = 8;
export const MOST = 500;

/** @returns what is wrong with each row, null where nothing is */
export function problemsOf(kind, rows) {
  const firstWith = new Map();
  return rows.map(({ text, label, problem }, index) => {
    if (problem !== null) return problem;
    if (text.trim() === "") return "Write a text";
    if (kind === "labels" && label.trim() === "") return "Give it a label: “label | text”";
    const same = firstWith.get(text.trim());
    firstWith.set(text.trim(), same ?? index + 1);
    return same === undefined ? null : `The same text as row ${same}`;
  });
}

/** Rows by label, or entities by label. */
export function countLabels(kind, rows) {
  const counts = new Map();
  for (const { label, spans } of rows) {
    const labels = kind === "labels" ? [label.trim()] : spans.map((span) => span.label);
    for (const name of labels) if (name !== "") counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Why training cannot begin yet; null when it can. */
export function whyNot(kind, rows) {
  const wrong = problemsOf(kind, rows).filter((problem) => problem !== null).length;
  if (rows.length < FEWEST) return `Give at least ${FEWEST} rows; 20 to 200 are a good number`;
  if (wrong > 0) return wrong === 1 ? "One row needs a change" : `${wrong} rows need a change`;
  const counts = [...countLabels(kind, rows)];
  if (kind === "spans") return counts.length === 0 ? "Mark words in some of the rows" : null;
  if (counts.length < 2) return "Give rows of at least two labels";
  const [rare] = counts.find(([, count]) => count < 2) ?? [];
  return rare === undefined ? null : `“${rare}” has one row only; give it another`;
}

/**
 * A fifth of the rows, of each label its share, and one at least, is kept from training: what is said of them shows what was learned.
 * @returns indices of `train` and `dev`
 */
export function holdOut(kind, rows) {
  const groups = new Map();
  for (const [index, row] of rows.entries()) {
    const group = kind === "labels" ? row.label.trim() : [...new Set(row.spans.map(({ label }) => label))].sort().join();
    groups.set(group, [...(groups.get(group) ?? []), index]);
  }
  const dev = [...groups.values()].flatMap((members) => {
    const count = members.length < 3 ? 0 : Math.max(1, Math.round(members.length / 5));
    return Array.from({ length: count }, (_, i) => members[Math.floor(((i + 0.5) * members.length) / count)]);
  });
  // Of many labels with few rows each: one row, or nothing would be measured.
  if (dev.length === 0) dev.push([...groups.values()].reduce((most, members) => (members.length > most.length ? members : most)).at(-1));
  dev.sort((a, b) => a - b);
  return { train: [...rows.keys()].filter((index) => !dev.includes(index)), dev };
}

/** What differs from the defaults of `trainAdapter`: smaller batches where rows are few, so that there are updates enough. */
export function optionsFor(rows) {
  return rows < 100 ? { batchSize: 8 } : {};
}

/** A row as `trainAdapter` reads it. */
export function asTraining(kind, { text, label, spans }) {
  return kind === "labels" ? { text: text.trim(), label: label.trim() } : { text, spans };
}

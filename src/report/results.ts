import type { EntityRates, TrainingHistory } from "../finetune/types.ts";
import { grouped, percent } from "./figures.ts";
import { heatMap } from "./heat-map.ts";
import { html, type Markup } from "./markup.ts";
import type { Section } from "./page.ts";
import { folded } from "./page.ts";
import { table } from "./table.ts";

type Confusion = NonNullable<TrainingHistory["confusion"]>;

/** Labels whose matrix is shown in figures; of more, the figures would need a screen wider than any. */
const MOST_FIGURES = 16;
/** Labels whose matrix is shown as tints. */
const MOST_TINTS = 200;
/** Labels whose table is open at once; of more, the worst. */
const MOST_OPEN = 30;
const WORST = 10;
const MOST_PAIRS = 20;

/** How well each label is found, and what is taken for what. */
export function resultSections({ confusion, perEntity: rates = [], kind }: TrainingHistory): Section[] {
  const sections: Section[] = [];
  if (rates.length > 0) {
    const name = kind === "ner" ? "entity" : "label";
    const sorted = [...rates].sort((a, b) => a.f1 - b.f1 || b.support - a.support || (a.label < b.label ? -1 : 1));
    const caption = `Precision, recall, F1 and support by ${name}`;
    sections.push({
      title: kind === "ner" ? "By entity" : "By label",
      lead: "Per cent, lowest F1 first. Support is how often it occurs in the dev rows.",
      content: sorted.length > MOST_OPEN
          ? [ratesTable(sorted.slice(0, WORST), name, `${caption}, the ${WORST} lowest`), folded(`All ${grouped(rates.length)}`, ratesTable(sorted, name, caption))]
          : ratesTable(sorted, name, caption),
    });
  }
  if (confusion !== undefined && confusion.labels.length > 1) sections.push(confusionSection(confusion));
  return sections;
}

function ratesTable(rates: readonly EntityRates[], name: string, caption: string): Markup {
  return table({
    caption,
    columns: [{ name: name === "entity" ? "Entity" : "Label" }, ...["Precision", "Recall", "F1", "Support"].map((column) => ({ name: column, kind: "number" as const }))],
    rows: rates.map(({ label, precision, recall, f1, support }) => [label, perCent(precision), perCent(recall), html`${perCent(f1)}${meter(f1)}`, grouped(support)]),
  });
}

/** Without the sign, which has no room on a phone. */
function perCent(share: number): string {
  return percent(share).replace(" %", "");
}

function meter(share: number): Markup {
  const width = Math.round(100 * Math.max(0, Math.min(1, share || 0)));
  return html`<span class="meter" aria-hidden="true"><i style="width:${width}%"></i></span>`;
}

function confusionSection(confusion: Confusion): Section {
  const { labels } = confusion;
  const pairs = confusedPairs(confusion);
  const whole = labels.length <= MOST_FIGURES ? matrix(confusion) : labels.length <= MOST_TINTS ? map(confusion) : null;
  return {
    title: "Confusion",
    lead: labels.length <= MOST_FIGURES ? "A row is what was expected, a column what was predicted; tints are shares of the row." : "The pairs that are mistaken most, and all labels against each other.",
    columns: labels.length > MOST_FIGURES,
    content: labels.length <= MOST_FIGURES ? whole : [pairsTable(pairs), whole],
  };
}

function matrix({ labels, counts }: Confusion): Markup {
  return table({
    caption: "Confusion matrix: expected labels in rows, predicted ones in columns",
    upright: true,
    columns: [{ name: "Expected \\ predicted" }, ...labels.map((name) => ({ name, kind: "number" as const }))],
    rows: labels.map((label, row) => {
      const cells = labels.map((_, column) => counts[row]?.[column] ?? 0);
      const total = Math.max(1, cells.reduce((sum, count) => sum + count, 0));
      // Right ones in one colour, mistakes in the other.
      return [label, ...cells.map((count, column) => ({ content: count === 0 ? html`<span class="soft">0</span>` : grouped(count), shade: (column === row ? count : -count) / total }))];
    }),
  });
}

function map({ labels, counts }: Confusion): Markup {
  const shares = labels.map((_, row) => {
    const total = Math.max(1, (counts[row] ?? []).reduce((sum, count) => sum + count, 0));
    return labels.map((_label, column) => {
      const count = counts[row]?.[column] ?? 0;
      return count === 0 ? null : (column === row ? count : -count) / total;
    });
  });
  return heatMap({
    title: "Expected (down) and predicted (across)",
    summary: "Shares of each expected label: those on the diagonal are right, all others are mistakes. The table of pairs has the largest of them in figures.",
    axes: { rows: "expected", columns: "predicted" },
    rows: labels,
    columns: labels,
    values: shares,
    full: 1,
    format: (share) => (share < 0 ? `mistaken ${percent(-share)}` : `right ${percent(share)}`),
  });
}

interface Pair {
  readonly expected: string;
  readonly predicted: string;
  readonly count: number;
  readonly share: number;
}

function confusedPairs({ labels, counts }: Confusion): Pair[] {
  const pairs = counts.flatMap((row, expected) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, predicted) => (count > 0 && predicted !== expected ? [{ expected: labels[expected] ?? "", predicted: labels[predicted] ?? "", count, share: count / total }] : []));
  });
  return pairs.sort((a, b) => b.count - a.count || b.share - a.share).slice(0, MOST_PAIRS);
}

function pairsTable(pairs: readonly Pair[]): Markup {
  return table({
    caption: "Labels that are mistaken for another most often",
    columns: [{ name: "Expected" }, { name: "Predicted" }, { name: "Rows", kind: "number" }, { name: "Share", kind: "number" }],
    rows: pairs.map(({ expected, predicted, count, share }) => [expected, predicted, grouped(count), percent(share)]),
  });
}

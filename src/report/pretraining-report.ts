import type { PretrainingHistory, ProbeRecord, SourceRecord, StepRecord } from "../pretrain/types.ts";
import type { Point } from "./buckets.ts";
import { duration, grouped, percent, short } from "./figures.ts";
import { heatMap } from "./heat-map.ts";
import { lineChart } from "./line-chart.ts";
import { html, type Markup } from "./markup.ts";
import { notes, page, type Page, type Section } from "./page.ts";
import { settingsTable } from "./settings.ts";
import { table } from "./table.ts";

/** Updates at each end whose values are averaged: single batches differ by more than training changes. */
const ENDS = 20;

const REGIMES: Readonly<Record<PretrainingHistory["settings"]["regime"], string>> = {
  "ner-only": "the encoder, by the NER loss alone",
  "tc-only": "the encoder, by the loss over pairs alone",
  naive: "the encoder, by both losses",
  "groups-only": "one LoRA group a family, by its own loss; the encoder frozen",
  "task-primary": "the encoder by both losses, and one LoRA group a family by its own loss alone",
  "shared-group": "the encoder and one LoRA group, by both losses",
  pcgrad: "the encoder, by both losses, with what conflicts taken out of their gradients (PCGrad)",
};

/** What a pre-finetuning did, as one HTML file without scripts: curves, conflict of the gradients, sources, settings. */
export function pretrainingReport(history: PretrainingHistory): string {
  const { settings, warnings } = history;
  return page({
    title: settings.regime,
    kind: "Pre-finetuning report",
    lead: html`Trained: ${REGIMES[settings.regime]}.`,
    figures: figures(history),
    sections: [
      ...(warnings.length === 0 ? [] : [{ title: warnings.length === 1 ? "Warning" : "Warnings", content: notes(warnings) }]),
      { title: "Learning curves", columns: true, content: curves(history) },
      ...conflicts(history),
      { title: "Sources", content: sourceTable(history.sources) },
      { title: "Settings", lead: "All that makes the run again.", content: settingsTable({ ...settings, encoder: history.encoder, data: history.data, build: history.build }) },
    ],
  });
}

function valuesOf(steps: readonly StepRecord[], value: (step: StepRecord) => number | null): Point[] {
  return steps.flatMap((step): Point[] => {
    const found = value(step);
    return found === null ? [] : [[step.step, found]];
  });
}

function endOf(points: readonly Point[]): number | null {
  const last = points.slice(-ENDS);
  return last.length === 0 ? null : last.reduce((sum, [, y]) => sum + y / last.length, 0);
}

function figures({ steps, seconds, tokens }: PretrainingHistory): Page["figures"] {
  const figure = (name: string, value: (step: StepRecord) => number | null, format: (value: number) => string): Page["figures"] => {
    const end = endOf(valuesOf(steps, value));
    return end === null ? [] : [{ name, value: format(end), note: `mean of the last ${Math.min(ENDS, steps.length)}` }];
  };
  return [
    ...figure("NER loss", ({ ner }) => ner, short),
    ...figure("TC loss", ({ tc }) => tc, short),
    ...figure("TC accuracy", ({ accuracy }) => accuracy, percent),
    { name: "updates", value: grouped(steps.length) },
    { name: "time", value: duration(seconds) },
    { name: "tokens", value: grouped(tokens), ...(seconds > 0 ? { note: `${grouped(Math.round(tokens / seconds))} a second` } : {}) },
  ];
}

function curves({ steps }: PretrainingHistory): Markup[] {
  const chart = (title: string, value: (step: StepRecord) => number | null, format = short): Markup[] => {
    const points = valuesOf(steps, value);
    return points.length === 0 ? [] : [lineChart({ title, x: "update", series: [{ name: title, points }], format })];
  };
  return [
    ...chart("NER loss", ({ ner }) => ner),
    ...chart("TC loss", ({ tc }) => tc),
    ...chart("TC accuracy in the batch", ({ accuracy }) => accuracy, percent),
    ...chart("Length of the gradient", ({ gradientNorm }) => gradientNorm),
    ...chart("Learning rate, share of its peak", ({ rate }) => rate, percent),
  ];
}

/** Probes of the updates' own batches, and those of means. */
function conflicts({ probes }: PretrainingHistory): Section[] {
  const single = probes.filter(({ batches }) => batches === 1);
  const means = probes.filter(({ batches }) => batches > 1);
  const sections: Section[] = [];
  if (single.length > 0) {
    sections.push({
      title: "Conflict of the gradients",
      lead:
        "The gradients of the NER loss and of the loss over pairs on the encoder, layer by layer; what the losses count is not counted in. Below 0 they conflict. " +
        "Two batches of one family hardly agree with each other, so single batches are mostly noise.",
      columns: true,
      content: [probeMap("Cosine of the two gradients", single, ({ cosine }) => cosine, 0.2), probeMap("Length of NER's gradient over TC's", single, ({ ratio }) => ratio)],
    });
  }
  if (means.length > 0) {
    sections.push({
      title: "Conflict, in the mean over batches",
      lead: "The cosine within a family is that of two means over different batches: the most that could be seen between the families.",
      content: means.map(meansTable),
    });
  }
  return sections;
}

function partsOf(probes: readonly ProbeRecord[]): string[] {
  return probes[0]!.parts.map(({ part }) => part);
}

/** Columns of a map at most, each two units wide; of more probes neighbours are drawn as one, by their mean. */
const MOST_COLUMNS = 140;

function probeMap(title: string, probes: readonly ProbeRecord[], value: (part: ProbeRecord["parts"][number]) => number, full?: number): Markup {
  const parts = partsOf(probes);
  const values = parts.map((_, row) => probes.map(({ parts: own }) => value(own[row]!)));
  const meanOf = (row: readonly number[]): number => row.reduce((sum, x) => sum + x / row.length, 0);
  const size = Math.max(1, Math.ceil(probes.length / MOST_COLUMNS));
  const columns = Array.from({ length: Math.ceil(probes.length / size) }, (_, column) => column * size);
  return heatMap({
    title,
    summary: `Mean over ${probes.length} updates: ${parts.map((part, row) => `${part} ${short(meanOf(values[row]!))}`).join(", ")}.`,
    axes: { rows: "part", columns: size === 1 ? "update" : `the ${size} updates probed from` },
    rows: parts,
    columns: columns.map((first) => grouped(probes[first]!.step)),
    values: values.map((row) => columns.map((first) => meanOf(row.slice(first, first + size)))),
    ...(full === undefined ? {} : { full }),
  });
}

function meansTable({ step, batches, parts }: ProbeRecord): Markup {
  const number = (name: string) => ({ name, kind: "number" as const });
  const cell = (value: number | null) => (value === null ? "" : { content: value.toFixed(3), shade: value });
  return table({
    caption: `Cosines between means of ${batches} batches at update ${step}`,
    columns: [{ name: `Means of ${batches} batches, update ${grouped(step)}` }, number("NER with TC"), number("NER with NER"), number("TC with TC"), number("length NER/TC")],
    rows: parts.map(({ part, cosine, ner, tc, ratio }) => [part, cell(cosine), cell(ner), cell(tc), short(ratio)]),
  });
}

function sourceTable(sources: readonly SourceRecord[]): Markup {
  return table({
    caption: "Sources of the rows",
    columns: [{ name: "Source" }, { name: "Family" }, { name: "Rows", kind: "number" }, { name: "Types", kind: "number" }, { name: "Weight", kind: "number" }, { name: "O" }],
    rows: sources.map(({ name, family, rows, types, weight, outside }) => [
      html`<span dir="auto">${name}</span>`, family === "ner" ? "NER" : "TC", grouped(rows), family === "ner" ? grouped(types) : "", short(weight), family === "ner" ? (outside === "label" ? "a label" : "ignored") : "",
    ]),
  });
}

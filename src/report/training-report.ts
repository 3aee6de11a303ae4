import type { TrainingHistory } from "../finetune/types.ts";
import { duration, grouped, percent, short } from "./figures.ts";
import { METRIC_NAMES, learningCurves } from "./learning-curves.ts";
import { mistakesSection } from "./mistakes.ts";
import { notes, page, type Page, type Section } from "./page.ts";
import { resultSections } from "./results.ts";
import { settingsTable } from "./settings.ts";
import { html, type Content } from "./markup.ts";

const KINDS = { ner: "named-entity recognition", classification: "text classification", "multi-label": "multi-label classification" } as const;

/**
 * What a training did, as one HTML file: learning curves, results on the dev rows, the worst mistakes, settings, warnings. It needs no script
 * and loads nothing; all text of the history is escaped.
 */
export function trainingReport(history: TrainingHistory): string {
  return page({
    title: history.name,
    kind: "Training report",
    lead: lead(history),
    figures: figures(history),
    sections: [...warnings(history), curves(history), ...resultSections(history), ...mistakesSection(history), settings(history)],
  });
}

function lead({ kind, labels, best }: TrainingHistory): Content {
  const how = best === null ? "There were no dev rows, so nothing says how well it does on texts that it was not trained on." : "All results are of the dev rows, which it was not trained on.";
  return html`Adapter for ${KINDS[kind]}, ${grouped(labels.length)} ${labels.length === 1 ? "label" : "labels"}. ${how}`;
}

function figures({ metric, best, steps, evaluations, stopped, seconds, tokens }: TrainingHistory): Page["figures"] {
  const last = steps.at(-1);
  const epochs = `in ${grouped(last?.epoch ?? 0)} ${last?.epoch === 1 ? "epoch" : "epochs"}`;
  const main = best === null ? { name: "last loss", value: last === undefined ? "–" : short(last.loss) } : { name: METRIC_NAMES[metric], value: percent(best.metric), note: `best, at step ${grouped(best.step)}` };
  return [
    main,
    { name: "updates", value: grouped(last?.step ?? 0), note: `${epochs}${stopped === "patience" ? ", then no more gain" : ""}` },
    ...(evaluations.length === 0 ? [] : [{ name: "evaluations", value: grouped(evaluations.length) }]),
    { name: "time", value: duration(seconds) },
    { name: "tokens", value: grouped(tokens), ...(seconds > 0 ? { note: `${grouped(Math.round(tokens / seconds))} a second` } : {}) },
  ];
}

function warnings({ warnings: texts }: TrainingHistory): Section[] {
  return texts.length === 0 ? [] : [{ title: texts.length === 1 ? "Warning" : "Warnings", content: notes(texts) }];
}

function curves(history: TrainingHistory): Section {
  return { title: "Learning curves", columns: true, content: learningCurves(history) };
}

function settings(history: TrainingHistory): Section {
  return { title: "Settings", lead: "All that makes the run again.", content: settingsTable(history.settings) };
}

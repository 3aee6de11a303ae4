import type { TrainingHistory } from "./types.ts";

/** README.md of a trained adapter: what it is, what it was trained on, how well it did, how it is loaded. */
export function modelCard({ name, kind, labels, metric, best, evaluations, settings, warnings, perEntity, tokens, seconds }: TrainingHistory): string {
  const isNer = kind === "ner";
  const rates = perEntity?.map(({ label, precision, recall, f1, support }) => ({ label, precision: round(precision), recall: round(recall), f1: round(f1), support }));
  const shown = isNer ? labels.filter((label) => label.startsWith("B-")).map((label) => label.slice(2)) : labels;
  const measured = best === null
    ? "No dev rows were given, so nothing was measured; the weights are the last ones."
    : `${metric} on dev: **${best.metric.toFixed(4)}**, after ${best.step} updates, the best of ${evaluations.length} evaluations. The int8 encoder computed it, as it serves.`;
  return `---
library_name: peft
tags: [rootstock, ${isNer ? "token-classification" : "text-classification"}]
---

# ${name}

An adapter for ${isNer ? "named-entity recognition" : kind === "classification" ? "text classification, one label a text" : "text classification, any number of labels a text"}.

\`\`\`js
await encoder.addAdapter("${name}", "path/of/this/folder");
await encoder.run("…", ["${name}"]);
\`\`\`

## Labels

${block(shown)}

## Result

${measured}
${rates === undefined ? "" : `\nBy ${isNer ? "entity" : "label"}, on dev:\n\n${block(rates)}\n`}
## Training

Settings, data and encoder; the same rows, settings and module give the same bits. ${tokens} tokens in ${seconds.toFixed(0)} s.

${block(Object.entries(settings).map(([key, value]) => [key, value]))}
${warnings.length === 0 ? "" : `\n${block(warnings)}\n`}`;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

/** JSON, an item a line, in a fence that no label can close. */
function block(items: readonly unknown[]): string {
  const lines = items.map((item) => JSON.stringify(item));
  // Not spread into Math.max: labels of strangers may hold more runs than a call takes arguments.
  const longest = lines.flatMap((line) => line.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}json\n${lines.join("\n")}\n${fence}`;
}

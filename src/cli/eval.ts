import { basename, resolve } from "node:path";
import { defineCommand } from "citty";
import { OFFSETS } from "../heads/entities.ts";
import { readChoice, readCount, TEXT_ARGS } from "./arguments.ts";
import { evaluateTask, type Evaluation } from "./evaluate.ts";
import { openEncoder } from "./models.ts";
import { grouped, percent, table } from "./print-table.ts";
import { printable } from "./print-text.ts";
import type { Command, Session } from "./session.ts";
import { trainedLength } from "./trained-length.ts";

const TASK = "task";

interface About {
  readonly adapter: string;
  readonly data: string;
  readonly maxTokens: number;
}

const definition = defineCommand({
  meta: { name: "eval", description: "Score an adapter on a JSONL test set" },
  args: {
    encoder: TEXT_ARGS.encoder,
    adapter: { type: "string", required: true, valueHint: "DIR", description: "adapter folder" },
    data: { type: "string", required: true, valueHint: "FILE", description: "rows: label, labels, tags or spans" },
    "max-tokens": { type: "string", valueHint: "N", description: "longer texts are cut (default: max_length)" },
    tokens: { type: "boolean", description: "read tokens and tags where there is a text too" },
    offsets: { type: "string", valueHint: "UNIT", description: "of spans: utf16 (default), codepoint" },
    "per-label": { type: "boolean", description: "a row for every label" },
    json: { type: "boolean", description: "one JSON object" },
  },
  async run({ args, data }) {
    const session = data as Session;
    const { signal } = session;
    const given = readCount(args["max-tokens"], "max-tokens");
    const encoder = await openEncoder(args.encoder, session);
    await encoder.addAdapter(TASK, args.adapter, { signal });
    const maxTokens = given ?? (await trainedLength(args.adapter, encoder.info.maxTokens, signal));
    const evaluation = await evaluateTask(encoder, encoder.info.tasks[0]!, args.data, {
      maxTokens,
      signal,
      offsets: readChoice(args.offsets, "offsets", OFFSETS) ?? "utf16",
      preferTokens: args.tokens === true,
      onRows: (rows) => session.progress(`${grouped(rows)} rows`),
    });
    session.progress(null);
    const about: About = { adapter: basename(resolve(args.adapter)), data: args.data, maxTokens };
    if (args.json) await session.write(`${JSON.stringify({ ...about, ...evaluation })}\n`);
    else await session.write(print(about, evaluation, args["per-label"] === true, session));
    const { unknownLabels } = evaluation;
    if (unknownLabels.length > 0) session.note(`note: the adapter has no label ${unknownLabels.join(", ")}; the data do`);
  },
});

function print({ adapter, data, maxTokens }: About, { rows, truncated, seconds, report }: Evaluation, perLabel: boolean, { style }: Session): string {
  const counted = report.kind === "spans" ? `${grouped(rows)} sentences, ${grouped(report.support)} spans` : report.kind === "labels" ? `${grouped(rows)} texts, ${grouped(report.support)} labels` : `${grouped(rows)} texts`;
  const figures =
    report.kind !== "classification"
      ? [[report.kind === "spans" ? "F1" : "micro F1", percent(report.f1)], ["precision", percent(report.precision)], ["recall", percent(report.recall)]]
      : [["accuracy", percent(report.accuracy)], ["macro F1", percent(report.macroF1)]];
  const [main, ...others] = table(figures.map(([name, value]) => [name!, value!]), "lr");
  const lines = [`${style.bold(adapter)} on ${printable(data)}: ${counted}`, style.bold(`  ${main}`), ...others.map((line) => `  ${line}`)];
  if (truncated > 0) lines.push(`  ${grouped(truncated)} of more than ${maxTokens} tokens were cut`);
  lines.push(style.dim(`  ${seconds.toFixed(1)} s, ${((seconds * 1000) / rows).toFixed(2)} ms each`));
  if (perLabel) {
    const cells = report.perLabel.map(({ label, precision, recall, f1, support }) => [
      printable(label), percent(precision), percent(recall), percent(f1), grouped(support),
    ]);
    lines.push("", ...table([["label", "precision", "recall", "F1", "support"], ...cells], "lrrrr").map((line) => `  ${line}`));
  }
  return `${lines.join("\n")}\n`;
}

export const evaluate: Command = { definition };

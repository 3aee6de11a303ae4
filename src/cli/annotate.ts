import { defineCommand } from "citty";
import { TEXT_ARGS } from "./arguments.ts";
import { knownAdapters } from "./models.ts";
import type { Command, Session } from "./session.ts";

const definition = defineCommand({
  meta: { name: "annotate", description: "Run adapters over a whole file; a killed run goes on" },
  args: {
    input: { type: "positional", required: true, description: 'jsonl, csv, tsv, txt (.gz), parquet; "-" = stdin' },
    tasks: { type: "string", required: true, valueHint: "A,B", description: "names of the adapters to run" },
    output: { type: "string", required: true, valueHint: "FILE", description: '.jsonl or .parquet; "-" = stdout' },
    encoder: TEXT_ARGS.encoder,
    adapter: { type: "string", valueHint: "NAME=DIR", description: "a task's name and folder; repeatable" },
    errors: { type: "string", valueHint: "FILE", description: "bad rows go here (default: stop at one)" },
    resume: { type: "boolean", description: "go on with a run that was ended" },
    overwrite: { type: "boolean", description: "begin anew, whatever is there" },
    checkpoint: { type: "string", valueHint: "SECONDS", description: "between two checkpoints (default: 1)" },
    workers: { type: "string", valueHint: "N", description: "threads (default: every core)" },
    shard: { type: "string", valueHint: "I/N", description: "only rows r with r mod N = I - 1" },
    format: { type: "string", valueHint: "F", description: "jsonl, csv, tsv, text, parquet" },
    "output-format": { type: "string", valueHint: "F", description: "jsonl, parquet" },
    "text-field": { type: "string", valueHint: "NAME", description: "field of the text (default: text)" },
    "annotations-field": { type: "string", valueHint: "NAME", description: "field to write (annotations)" },
    aggregation: { type: "string", valueHint: "HOW", description: "none, simple, first, average, max" },
    "top-k": { type: "string", valueHint: "N|all", description: "labels a text (default: 1)" },
    offsets: { type: "string", valueHint: "UNIT", description: "utf16 (default), codepoint" },
    "max-tokens": TEXT_ARGS["max-tokens"],
    overflow: TEXT_ARGS.overflow,
    stride: TEXT_ARGS.stride,
  },
  async run({ args, data }) {
    const session = data as Session;
    // Here and not above: the readers of CSV and Parquet would slow the start of every other command.
    const { readPlan } = await import("./annotate/plan.ts");
    const plan = readPlan(args, knownAdapters(session, args.encoder), session.signal);
    const { annotate: annotateFile } = await import("./annotate/annotate.ts");
    await annotateFile(plan, args.encoder, session);
  },
});

export const annotate: Command = { definition, repeatable: ["adapter"] };

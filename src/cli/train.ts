import { defineCommand } from "citty";
import { TEXT_ARGS } from "./arguments.ts";
import type { Command, Session } from "./session.ts";

const definition = defineCommand({
  meta: { name: "train", description: "Train an adapter on JSON lines; a killed run goes on" },
  args: {
    task: { type: "string", required: true, valueHint: "NAME", description: "name of the task" },
    data: { type: "string", required: true, valueHint: "FILE", description: 'rows, .gz too; "-" = standard input' },
    out: { type: "string", required: true, valueHint: "DIR", description: "folder to write" },
    dev: { type: "string", valueHint: "FILE", description: "rows to choose by (default: 10 % of data)" },
    "no-dev": { type: "boolean", description: "train on all rows, choose by none" },
    encoder: TEXT_ARGS.encoder,
    method: { type: "string", valueHint: "HOW", description: "lora (default), dora, ia3, head" },
    rank: { type: "string", valueHint: "N", description: "of lora and dora (default: 8)" },
    alpha: { type: "string", valueHint: "X", description: "scale is alpha/rank (default: 16)" },
    "rs-lora": { type: "boolean", description: "scale is alpha/sqrt(rank)" },
    targets: { type: "string", valueHint: "A,B", description: "query,value (default), …, all-linear" },
    layers: { type: "string", valueHint: "N|A,B", description: "the last N (default: 3), or which" },
    from: { type: "string", valueHint: "DIR", description: "adapter to go on from" },
    epochs: { type: "string", valueHint: "N", description: "times that a row is seen" },
    "learning-rate": { type: "string", valueHint: "X", description: "at its peak" },
    "head-learning-rate": { type: "string", valueHint: "X", description: "of the head (lora, dora: 5 times)" },
    "batch-size": { type: "string", valueHint: "N", description: "rows of an update" },
    schedule: { type: "string", valueHint: "HOW", description: "linear (default), cosine, constant" },
    warmup: { type: "string", valueHint: "X", description: "share of updates, 0 to 1" },
    "weight-decay": { type: "string", valueHint: "X", description: "of AdamW" },
    clip: { type: "string", valueHint: "X|none", description: "longest gradient (default: 1)" },
    dropout: { type: "string", valueHint: "X", description: "of the encoder and head (default: 0.1)" },
    "lora-dropout": { type: "string", valueHint: "X", description: "of LoRA's inputs (default: 0)" },
    "label-smoothing": { type: "string", valueHint: "X", description: "0 (default) to below 1" },
    "class-weights": { type: "string", valueHint: "HOW", description: "none (default), balanced" },
    "class-weight": { type: "string", valueHint: "LABEL=X", description: "of one label; repeatable" },
    patience: { type: "string", valueHint: "N|none", description: "looks at dev without gain (none)" },
    "evaluate-every": { type: "string", valueHint: "N|epoch", description: "updates between looks at dev" },
    "max-tokens": { type: "string", valueHint: "N", description: "longer rows are cut (default: 256)" },
    offsets: { type: "string", valueHint: "UNIT", description: "of spans: utf16 (default), codepoint" },
    seed: { type: "string", valueHint: "N", description: "of values, order, dropout (default: 1)" },
    workers: { type: "string", valueHint: "N", description: "threads that train together (default: 1)" },
    restart: { type: "boolean", description: "begin anew, whatever is there" },
    json: { type: "boolean", description: "one JSON object" },
  },
  async run({ args, data }) {
    const session = data as Session;
    const { readTrainPlan } = await import("./train/plan.ts");
    const plan = readTrainPlan(args, session);
    // Here and not above: gradients and plots would slow the start of every other command.
    const { train: trainTask } = await import("./train/train.ts");
    await trainTask(plan, session);
  },
});

export const train: Command = { definition, repeatable: ["class-weight"] };

import { defineCommand } from "citty";
import { readCount, readWorkers } from "./arguments.ts";
import type { Command, Session } from "./session.ts";

const definition = defineCommand({
  meta: { name: "pretrain", description: "Pre-finetune an encoder on entities and text pairs" },
  args: {
    config: { type: "positional", required: true, description: "JSON file: docs/pre-finetuning.md" },
    output: { type: "string", valueHint: "DIR", description: "folder to write (default: the file's)" },
    seed: { type: "string", valueHint: "N", description: "seed (default: the file's)" },
    steps: { type: "string", valueHint: "N", description: "updates (default: the file's)" },
    workers: { type: "string", valueHint: "N", description: "threads that train together (default: 1)" },
    restart: { type: "boolean", description: "begin anew, whatever checkpoint is there" },
    log: { type: "string", valueHint: "N", description: "a line on standard error every N updates" },
  },
  async run({ args, data }) {
    // Here and not above: training's modules would slow the start of every other command.
    const { readConfig } = await import("./pretrain/config.ts");
    const { pretrainConfig } = await import("./pretrain/pretrain.ts");
    const config = readConfig(args.config, { output: args.output, seed: readCount(args.seed, "seed", 0), steps: readCount(args.steps, "steps") });
    const workers = readWorkers(args.workers) ?? 1;
    await pretrainConfig(config, { workers, logEvery: readCount(args.log, "log"), restart: args.restart === true }, data as Session);
  },
});

export const pretrain: Command = { definition };

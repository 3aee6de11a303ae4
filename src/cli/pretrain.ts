import { defineCommand } from "citty";
import { readCount } from "./arguments.ts";
import { readConfig } from "./pretrain/config.ts";
import { pretrainConfig } from "./pretrain/pretrain.ts";
import type { Command, Session } from "./session.ts";

const definition = defineCommand({
  meta: { name: "pretrain", description: "Pre-finetune an encoder on NER and text pairs at once; a killed run goes on" },
  args: {
    config: { type: "positional", required: true, description: "JSON file: docs/pre-finetuning.md" },
    output: { type: "string", valueHint: "DIR", description: "folder to write (default: the file's)" },
    seed: { type: "string", valueHint: "N", description: "seed (default: the file's)" },
    steps: { type: "string", valueHint: "N", description: "updates (default: the file's)" },
    log: { type: "string", valueHint: "N", description: "a line on standard error every N updates" },
  },
  async run({ args, data }) {
    const config = readConfig(args.config, { output: args.output, seed: readCount(args.seed, "seed"), steps: readCount(args.steps, "steps") });
    await pretrainConfig(config, readCount(args.log, "log"), data as Session);
  },
});

export const pretrain: Command = { definition };

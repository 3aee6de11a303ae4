import { basename, resolve } from "node:path";
import { defineCommand } from "citty";
import { exportEncoder } from "../convert/export.ts";
import { listFiles } from "./folder-files.ts";
import { loading } from "./models.ts";
import type { Command, Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

const definition = defineCommand({
  meta: { name: "export", description: "Write a converted encoder for PEFT, in float32" },
  args: {
    source: { type: "positional", required: true, description: "folder that convert wrote" },
    output: { type: "positional", required: true, description: "folder to write" },
  },
  async run({ args, data }) {
    const session = data as Session;
    if (resolve(args.source) === resolve(args.output)) throw new UsageError("the folder to write is the one to read; give another");
    await exportEncoder(args.source, args.output, loading(session));
    session.progress(null);
    await session.write(`${basename(resolve(args.output))}: exported\n${await listFiles(args.output, session.signal)}`);
  },
});

export const exported: Command = { definition };

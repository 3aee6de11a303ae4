import { join } from "node:path";
import { defineCommand } from "citty";
import { RootstockError } from "../index.ts";
import { fileSize } from "./disk.ts";
import { inspectAdapter } from "./inspect-adapter.ts";
import { inspectEncoder } from "./inspect-encoder.ts";
import { printable } from "./print-text.ts";
import type { Command, Session } from "./session.ts";

/** What is known of a folder: one object for programs, rows of name and value for people. */
export interface Inspection {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly [string, string])[];
}

const definition = defineCommand({
  meta: { name: "inspect", description: "What a folder holds; checks its files" },
  args: {
    folder: { type: "positional", required: true, description: "encoder or adapter folder" },
    encoder: { type: "string", valueHint: "DIR", description: "also check that the adapter fits this encoder" },
    json: { type: "boolean", description: "one JSON object" },
  },
  async run({ args, data }) {
    const session = data as Session;
    const { facts, rows } = await inspectFolder(args.folder, args.encoder, session);
    if (args.json) return session.write(`${JSON.stringify(facts)}\n`);
    const width = Math.max(...rows.map(([name]) => name.length));
    const lines = rows.map(([name, value]) => `${session.style.dim(name.padEnd(width))}  ${printable(value)}`.trimEnd());
    await session.write(`${lines.join("\n")}\n`);
  },
});

async function inspectFolder(folder: string, encoder: string | undefined, session: Session): Promise<Inspection> {
  if (fileSize(join(folder, "adapter_config.json")) !== null) return inspectAdapter(folder, encoder, session);
  if (fileSize(join(folder, "config.json")) !== null) return inspectEncoder(folder, session);
  throw new RootstockError("source-missing", `${folder} has neither config.json (an encoder) nor adapter_config.json (an adapter). Check the path.`);
}

export const inspect: Command = { definition };

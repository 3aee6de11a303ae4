#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { renderUsage, runCommand, type ArgsDef, type CommandDef } from "citty";
import { RootstockError } from "../index.ts";
import { annotate } from "./annotate.ts";
import { checkArguments } from "./arguments.ts";
import { convert } from "./convert.ts";
import { demo } from "./demo.ts";
import { embed } from "./embed.ts";
import { evaluate } from "./eval.ts";
import { exported } from "./export.ts";
import { inspect } from "./inspect.ts";
import { colours, plain } from "./print-style.ts";
import { printable } from "./print-text.ts";
import { pretrain } from "./pretrain.ts";
import { run } from "./run.ts";
import type { Command, Session } from "./session.ts";
import { progressLine, quietPipes, writeOut } from "./streams.ts";
import { train } from "./train.ts";
import { UsageError } from "./usage-error.ts";

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["run", run],
  ["annotate", annotate],
  ["embed", embed],
  ["train", train],
  ["eval", evaluate],
  ["inspect", inspect],
  ["convert", convert],
  ["export", exported],
  ["pretrain", pretrain],
  ["demo", demo],
]);

const HELP = new Set(["--help", "-h", "help"]);

/** Exit codes: 0 done, 1 input refused, 2 wrong usage, 70 a bug (sysexits' EX_SOFTWARE), 130 Ctrl-C. */
async function main(argv: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  // The second time it is the system's: at once, even where a call of the system stands still (a pipe that nobody writes), which an exit would wait for.
  process.once("SIGINT", () => interrupt.abort());
  quietPipes();
  const [name = "", ...rest] = argv;
  try {
    if (HELP.has(name)) await writeOut(await usage(null));
    else if (name === "--version" || name === "-v") await writeOut(`${version()}\n`);
    else await runNamed(name, rest, interrupt.signal);
    return interrupt.signal.aborted ? 130 : 0;
  } catch (error) {
    if (interrupt.signal.aborted) return 130;
    return report(error, COMMANDS.has(name) ? ` ${name}` : "");
  }
}

async function runNamed(name: string, rest: readonly string[], signal: AbortSignal): Promise<void> {
  const command = COMMANDS.get(name);
  if (command === undefined) throw new UsageError(name === "" ? "no command given" : `there is no command ${JSON.stringify(name)}`);
  const end = rest.indexOf("--");
  if (rest.slice(0, end < 0 ? rest.length : end).some((arg) => arg === "--help" || arg === "-h")) {
    await writeOut(await usage(command));
    return;
  }
  const values = checkArguments(rest, command.definition.args as ArgsDef, command);
  const session: Session = {
    signal,
    values: (option) => values.get(option) ?? [],
    write: writeOut,
    note: (line) => void process.stderr.write(`${printable(line)}\n`),
    progress: progressLine(),
    style: hasColours() ? colours : plain,
    width: Math.max(40, Math.min(process.stdout.columns || 80, 100)),
  };
  try {
    await runCommand(command.definition, { rawArgs: [...rest], data: session });
  } finally {
    session.progress(null);
  }
}

/** https://no-color.org: NO_COLOR counts when it is set and not empty. */
function hasColours(): boolean {
  return process.stdout.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

async function usage(command: Command | null): Promise<string> {
  const parent: CommandDef = {
    meta: { name: "rootstock", version: version(), description: "One int8 encoder in memory, adapters swapped on its last layers." },
  };
  // The commands are listed for the whole program only.
  const whole: CommandDef = { ...parent, subCommands: Object.fromEntries([...COMMANDS].map(([name, { definition }]) => [name, definition])) };
  const rendered = await (command === null ? renderUsage(whole) : renderUsage(command.definition, parent));
  const text = rendered.replace(/ +$/gm, "").trimEnd();
  return `${hasColours() ? text : stripVTControlCharacters(text)}\n`;
}

function version(): string {
  return (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
}

/** One line on standard error. */
function report(error: unknown, command: string): number {
  const line = (text: string): void => void process.stderr.write(`rootstock: ${text.replace(/\s*\n\s*/g, " ")}\n`);
  if (error instanceof RootstockError) {
    line(`${error.code}: ${error.message}`);
    return 1;
  }
  // citty's own error class is not exported.
  if (error instanceof UsageError || (error instanceof Error && error.name === "CLIError")) {
    line(`usage: ${stripVTControlCharacters(error.message).replace(/\.$/, "")}. See: rootstock${command} --help`);
    return 2;
  }
  line(`internal: ${error instanceof Error ? error.message : String(error)}. This is a bug; please report it with the lines below.`);
  if (error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
  return 70;
}

process.exitCode = await main(process.argv.slice(2));
// A standard input that is still open would keep the process alive.
if (process.exitCode !== 0) process.stdin.destroy();

import { parseArgs, type ParseArgsConfig } from "node:util";
import type { ArgDef, ArgsDef } from "citty";
import type { TextOptions } from "../index.ts";
import { MAX_WORKERS } from "../limits.ts";
import { OVERFLOWS } from "../runtime/options.ts";
import type { Command } from "./session.ts";
import { UsageError } from "./usage-error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

function nodeOptions(args: ArgsDef): Options {
  const options: Options = {};
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === "positional") continue;
    options[name] = { type: definition.type === "boolean" ? "boolean" : "string", multiple: true };
  }
  return options;
}

/**
 * Refuses what citty lets pass: options that do not exist, a missing value, an option given twice, spare arguments.
 *
 * @returns every value of every option, in order
 * @throws UsageError
 */
export function checkArguments(rawArgs: readonly string[], args: ArgsDef, command: Command): Map<string, string[]> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...rawArgs], options: nodeOptions(args), allowPositionals: true, strict: true });
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (!code.startsWith("ERR_PARSE_ARGS")) throw error;
    // Node's message goes on with advice over further lines.
    throw new UsageError((error as Error).message.split(/[\n.] ?/, 1)[0]!.replace(/^(.)/, (first) => first.toLowerCase()));
  }
  const values = new Map<string, string[]>();
  for (const [name, given] of Object.entries(parsed.values)) {
    const list = (given as (string | boolean)[]).map(String);
    if (list.length > 1 && !command.repeatable?.includes(name)) throw new UsageError(`--${name} is given ${list.length} times`);
    if (list.includes("")) throw new UsageError(`--${name} has an empty value`);
    values.set(name, list);
  }
  const named = Object.values(args).filter((definition: ArgDef) => definition.type === "positional").length;
  if (!command.variadic && parsed.positionals.length > named) {
    throw new UsageError(`there is no place for the argument ${JSON.stringify(parsed.positionals[named])}`);
  }
  return values;
}

/** A whole number from `least` up; undefined where the option is absent. @throws UsageError */
export function readCount(text: string | undefined, option: string, least: 0 | 1 = 1): number | undefined {
  if (text === undefined) return undefined;
  if (/^(?:0|[1-9][0-9]{0,8})$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`--${option} is ${JSON.stringify(text)}; give a whole number from ${least} up`);
}

/** Threads; undefined where the option is absent. @throws UsageError */
export function readWorkers(text: string | undefined): number | undefined {
  const workers = readCount(text, "workers");
  if (workers !== undefined && workers > MAX_WORKERS) throw new UsageError(`--workers is ${workers}; give a whole number from 1 to ${MAX_WORKERS}`);
  return workers;
}

/** One of a closed list; undefined where the option is absent. @throws UsageError */
export function readChoice<T extends string>(text: string | undefined, option: string, choices: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${option} is ${JSON.stringify(text)}; give one of ${choices.join(", ")}`);
}

/** `--top-k`: a number, or "all" (null). @throws UsageError */
export function readTopK(text: string | undefined): number | null | undefined {
  return text === "all" ? null : readCount(text, "top-k");
}

/** `NAME=DIR`. @throws UsageError */
export function readNamedFolder(text: string): { name: string; folder: string } {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return { name: text.slice(0, at), folder: text.slice(at + 1) };
  throw new UsageError(`--adapter is ${JSON.stringify(text)}; give NAME=DIR`);
}

/** An option only where it was given: `undefined` is not a value under exactOptionalPropertyTypes. */
export function given<K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]?: V });
}

/** Options of every command that reads texts. */
export const TEXT_ARGS = {
  encoder: { type: "string", valueHint: "DIR", description: "encoder folder (default: the package's own)" },
  input: { type: "string", valueHint: "FILE", description: 'file of lines, .gz too; "-" = standard input' },
  "max-tokens": { type: "string", valueHint: "N", description: "most tokens of one text" },
  overflow: { type: "string", valueHint: "HOW", description: "longer texts: error (default), truncate, windows" },
  stride: { type: "string", valueHint: "N", description: "tokens that windows share (default: a quarter)" },
} as const satisfies ArgsDef;

/** How longer texts are read. @throws UsageError */
export function readTextOptions(args: Readonly<Partial<Record<"max-tokens" | "overflow" | "stride", string | undefined>>>): TextOptions {
  return {
    ...given("maxTokens", readCount(args["max-tokens"], "max-tokens")),
    ...given("overflow", readChoice(args.overflow, "overflow", OVERFLOWS)),
    ...given("stride", readCount(args.stride, "stride", 0)),
  };
}

import { RootstockError } from "../index.ts";
import { field, parseJson, place, readList, readObject, readString, type Place } from "../format/json.ts";
import { inputName, MAX_LINE_UNITS, readLines, type Line } from "./read-lines.ts";
import { UsageError } from "./usage-error.ts";

/** One text to work on. */
export interface TextItem {
  /** Where it stood, for messages: "line 3", "text 2". */
  readonly where: string;
  readonly content: { readonly text: string } | { readonly tokens: readonly string[] };
  /** The tasks asked for in the input itself. */
  readonly tasks?: readonly string[];
}

/** What offsets count in. */
export function textOf({ content }: TextItem): string {
  return "text" in content ? content.text : content.tokens.join(" ");
}

/**
 * Texts of the command line: `TEXT …`, `-` or `--input FILE`.
 * @param keepBlank lines of white space alone are texts as well, for results that are told apart by their place
 * @throws UsageError at once, before anything is read
 */
export function readTexts(texts: readonly string[], input: string | undefined, signal: AbortSignal, keepBlank = false): AsyncGenerator<TextItem[]> {
  const path = input ?? (texts.length === 1 && texts[0] === "-" ? "-" : undefined);
  if (input !== undefined && texts.length > 0) throw new UsageError("give texts or --input, not both");
  if (path === undefined && texts.length === 0) throw new UsageError('no text given; give one, "-" for standard input, or --input FILE');
  if (path === undefined && texts.includes("-")) throw new UsageError('"-" stands for standard input and goes alone');
  return path === undefined ? givenItems(texts) : lineItems(path, signal, keepBlank);
}

async function* givenItems(texts: readonly string[]): AsyncGenerator<TextItem[]> {
  yield texts.map((text, index) => ({ where: `text ${index + 1}`, content: { text } }));
}

async function* lineItems(path: string, signal: AbortSignal, keepBlank: boolean): AsyncGenerator<TextItem[]> {
  for await (const lines of readLines(path, signal, { keepBlank })) yield* untilWrong(lines, (line) => readItem(line, path));
}

/** Reads each line; those before a wrong one come out before its error does. */
function* untilWrong<T>(lines: readonly Line[], read: (line: Line) => T): Generator<T[]> {
  const items: T[] = [];
  try {
    for (const line of lines) items.push(read(line));
  } catch (error) {
    if (items.length > 0) yield items;
    throw error;
  }
  yield items;
}

/** A line of text, or a JSON object {text | tokens, tasks?}; its other fields are left alone. */
function readItem(line: Line, path: string): TextItem {
  const where = `${inputName(path)}, line ${line.number}`;
  if (!line.text.startsWith("{")) return { where, content: { text: line.text } };
  const at = place(where);
  const fields = readJsonLine(line, path);
  const content = readContent(fields, at);
  const tasks = fields.get("tasks");
  if (tasks === undefined || tasks === null) return { where, content };
  return { where, content, tasks: readList(tasks, field(at, "tasks"), 1024, (name, nameAt) => readString(name, nameAt)) };
}

/** `text` where there is one, else `tokens`. */
function readContent(fields: ReadonlyMap<string, unknown>, at: Place): TextItem["content"] {
  const text = fields.get("text");
  if (typeof text === "string") return { text };
  const tokens = fields.get("tokens");
  if (tokens !== undefined) return { tokens: readTokens(tokens, field(at, "tokens")) };
  throw new RootstockError("json-invalid", `${at.path}: the object has neither "text" (a string) nor "tokens" (a list of strings). Give one.`);
}

/** Words already split. Unlike names and labels they may hold anything, lone surrogates too. */
export function readTokens(value: unknown, at: Place): string[] {
  return readList(value, at, MAX_LINE_UNITS, (token, tokenAt) => {
    if (typeof token === "string") return token;
    throw new RootstockError(at.code, `${tokenAt.path}: expected a string.`);
  });
}

/** Fields of a JSON line. @throws RootstockError `json-invalid`, `limit-exceeded` */
export function readJsonLine(line: Line, path: string): ReadonlyMap<string, unknown> {
  return readObject(parseJsonLine(line, path), place(`${inputName(path)}, line ${line.number}`));
}

/** The value of a JSON line. @throws RootstockError `json-invalid`, `limit-exceeded` */
export function parseJsonLine(line: Line, path: string): unknown {
  const where = `${inputName(path)}, line ${line.number}`;
  try {
    return parseJson(line.text, { where, maxBytes: MAX_LINE_UNITS });
  } catch (cause) {
    if (!(cause instanceof RootstockError) || !(cause.cause instanceof SyntaxError)) throw cause;
    throw new RootstockError("json-invalid", `${where} is not a JSON object: ${cause.cause.message}. Correct the line.`, { cause });
  }
}

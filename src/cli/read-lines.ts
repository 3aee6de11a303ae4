import { createReadStream } from "node:fs";
import { addAbortSignal, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { RootstockError } from "../index.ts";
import { notUtf8, Utf8Text } from "./utf8-text.ts";

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Why it cannot be read; only where that was asked for. Of one that is too long the text was left out. */
  readonly problem?: RootstockError;
}

export interface ReadOptions {
  /** Told the bytes as they are read from the file, zipped ones where it is zipped. */
  readonly onBytes?: (bytes: number) => void;
  /** Most UTF-16 units of a line. Default MAX_LINE_UNITS. */
  readonly maxUnits?: number;
  /** A line that is longer, or no UTF-8, comes out with its `problem`, instead of ending the reading. */
  readonly keepBad?: boolean;
  /** Lines of white space alone come out as well. */
  readonly keepBlank?: boolean;
}

/** UTF-16 units of one line: the longest text that is read, written as JSON with every character escaped, and some. */
export const MAX_LINE_UNITS = 8_000_000;

/** For messages. */
export function inputName(path: string): string {
  return path === "-" ? "standard input" : path;
}

/**
 * The lines of a UTF-8 file or of standard input ("-"), unzipped when they begin as gzip does, without line ends; a byte
 * order mark is left out, and so are lines of white space alone, unless they are asked for. Lines come as the data does, one array a chunk: nothing
 * waits for a line that is not there yet, and memory stays bounded.
 *
 * @throws RootstockError `source-missing`, `source-unreadable`, `source-truncated` (gzip), `limit-exceeded`
 */
export async function* readLines(path: string, signal: AbortSignal, options: ReadOptions = {}): AsyncGenerator<Line[]> {
  const { maxUnits = MAX_LINE_UNITS, keepBad = false, keepBlank = false } = options;
  const where = inputName(path);
  const utf8 = new Utf8Text(where);
  let open: string[] = []; // parts of the line whose end is not there yet
  let openUnits = 0;
  let tooLong = false;
  let number = 0;
  const bad = (problem: RootstockError): RootstockError => {
    if (keepBad) return problem;
    throw problem;
  };
  const take = (lines: Line[], text: string): void => {
    number++;
    if (tooLong) lines.push({ number, text: "", problem: tooLongLine(where, number, maxUnits) });
    else if (utf8.isBroken(text)) lines.push({ number, text, problem: bad(notUtf8(`${where}, line ${number}`)) });
    else if (keepBlank || text.trim() !== "") lines.push({ number, text: text.endsWith("\r") ? text.slice(0, -1) : text });
  };
  for await (const chunk of readBytes(path, signal, options)) {
    const [first, ...others] = utf8.decode(chunk).split("\n") as [string, ...string[]];
    if (!tooLong) open.push(first);
    openUnits += first.length;
    if (openUnits > maxUnits) {
      bad(tooLongLine(where, number + 1, maxUnits));
      tooLong = true;
      open = [];
    }
    if (others.length === 0) continue;
    const lines: Line[] = [];
    take(lines, open.join(""));
    tooLong = false;
    const last = others.pop()!;
    for (const text of others) take(lines, text);
    open = [last];
    openUnits = last.length;
    if (lines.length > 0) yield lines;
  }
  open.push(utf8.decode());
  const rest: Line[] = [];
  const last = open.join("");
  // Behind the last line end there is no line.
  if (tooLong || last !== "") take(rest, last);
  if (rest.length > 0) yield rest;
}

export function tooLongLine(where: string, number: number, maxUnits = MAX_LINE_UNITS): RootstockError {
  return new RootstockError("limit-exceeded", `${where}: line ${number} is longer than ${maxUnits} characters. Split it.`);
}

/** The bytes of a file or of standard input, unzipped. @throws RootstockError as `readLines` */
export async function* readBytes(path: string, signal: AbortSignal, { onBytes }: Pick<ReadOptions, "onBytes"> = {}): AsyncGenerator<Uint8Array> {
  const stream: Readable = path === "-" ? process.stdin : createReadStream(path);
  addAbortSignal(signal, stream);
  try {
    const chunks = counted(stream as AsyncIterable<Uint8Array>, onBytes);
    const start = await firstBytes(chunks);
    const whole = Readable.from(chain(start, chunks), { objectMode: false });
    if (start[0] === 0x1f && start[1] === 0x8b) yield* pipeline(whole, createGunzip(), () => undefined);
    else yield* whole;
  } catch (cause) {
    signal.throwIfAborted();
    throw readError(path, cause);
  }
}

async function* counted(stream: AsyncIterable<Uint8Array>, onBytes: ReadOptions["onBytes"]): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    onBytes?.(chunk.length);
    yield chunk;
  }
}

/** At least the two bytes that tell gzip from text, unless there are fewer. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < 2) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    start = start.length === 0 ? value : Buffer.concat([start, value]);
  }
  return start;
}

async function* chain(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (;;) {
      const { done, value } = await rest.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

function readError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  const where = inputName(path);
  if (code === "ENOENT") return new RootstockError("source-missing", `${where} is not there. Check the path.`, { cause });
  if (code === "Z_BUF_ERROR") return new RootstockError("source-truncated", `${where}: the gzip data end too early. Copy the file again.`, { cause });
  if (code?.startsWith("Z_")) return new RootstockError("source-unreadable", `${where} is no sound gzip file: ${cause.message}. Copy it again.`, { cause });
  if (code === undefined || cause instanceof RootstockError) return cause;
  return new RootstockError("source-unreadable", `${where} could not be read: ${cause.message}`, { cause });
}

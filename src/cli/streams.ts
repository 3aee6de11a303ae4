import { fstatSync, writeSync } from "node:fs";
import { RootstockError } from "../index.ts";
import { printable } from "./print-text.ts";

/** An error of standard output is told by `writeOut`; one of standard error nobody would read, and it ends no work. */
export function quietPipes(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/**
 * Writes to standard output; waits while the reader is behind, so that memory stays bounded. A reader that goes away
 * (`| head`) ends the program without a word.
 *
 * @throws RootstockError `target-unwritable`
 */
export async function writeOut(text: string): Promise<void> {
  try {
    await (isFile() ? writeFile(text) : writeStream(text));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause; // not the system's: a bug
    if (code === "EPIPE") process.exit(0);
    throw new RootstockError("target-unwritable", `standard output could not be written: ${message}. Check space and permissions.`, { cause });
  }
}

function isFile(): boolean {
  return fstatSync(process.stdout.fd).isFile();
}

/** Node's own stream for files passes over that a disk that is nearly full takes less than it is given. */
function writeFile(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(process.stdout.fd, bytes, at);
}

function writeStream(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Between two redraws of a progress line; a step shorter than this shows none. */
const REDRAW_MS = 150;

/** A line on standard error that is drawn over itself, and only on a terminal. `null` takes it away. */
export function progressLine(): (text: string | null) => void {
  const { stderr } = process;
  if (stderr.isTTY !== true) return () => undefined;
  let last = performance.now();
  let shown = false;
  return (text) => {
    if (text === null) {
      if (shown) stderr.write("\r\x1b[K");
      shown = false;
      return;
    }
    const now = performance.now();
    if (now - last < REDRAW_MS) return;
    last = now;
    shown = true;
    stderr.write(`\r\x1b[K${printable(text).slice(0, (stderr.columns || 80) - 1)}`);
  };
}

import { once } from "node:events";

/** A reader that goes away (`| head`) ends the program without a word. */
export function quietPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
}

/** Writes to standard output; waits while the reader is behind, so that memory stays bounded. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
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
    stderr.write(`\r\x1b[K${text.slice(0, (stderr.columns || 80) - 1)}`);
  };
}

import { RootstockError } from "../../index.ts";
import { MAX_TRAINING_ROWS } from "../../limits.ts";
import { inputName, readLines } from "../read-lines.ts";
import { parseJsonLine } from "../read-texts.ts";

/** Rows of a file, and the lines where they stood. */
export interface RowSet {
  readonly path: string;
  readonly rows: readonly unknown[];
  /** From 1, one for each row. */
  readonly lines: readonly number[];
}

/**
 * Reads the JSON lines of a file or of standard input. What a row must hold is not looked at here.
 *
 * @throws RootstockError those of `readLines`; `json-invalid` with the line; `limit-exceeded`
 */
export async function readRowSet(path: string, signal: AbortSignal, onRows: (rows: number) => void): Promise<RowSet> {
  const rows: unknown[] = [];
  const lines: number[] = [];
  for await (const chunk of readLines(path, signal)) {
    for (const line of chunk) {
      if (rows.length === MAX_TRAINING_ROWS) throw new RootstockError("limit-exceeded", `${inputName(path)} has more than ${MAX_TRAINING_ROWS} rows, the most that are read. Give a part of them.`);
      rows.push(parseJsonLine(line, path));
      lines.push(line.number);
    }
    onRows(rows.length);
  }
  return { path, rows, lines };
}

/** The rows of a set of which `keep` says so. */
export function partOf({ path, rows, lines }: RowSet, keep: (row: number) => boolean): RowSet {
  return { path, rows: rows.filter((_, row) => keep(row)), lines: lines.filter((_, row) => keep(row)) };
}

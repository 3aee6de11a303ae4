import { setImmediate } from "node:timers/promises";
import { RootstockError, type Encoder, type ErrorCode, type Results, type RunOptions, type TextRequest } from "../../index.ts";
import type { Row, RowContent } from "./rows.ts";
import { withField } from "./rows.ts";

/** What came of a row: the line to write, or what is wrong with it. */
export type Outcome =
  | { readonly row: Row; readonly line: string }
  | { readonly row: Row; readonly error: RootstockError };

/** What an encoder in this process and a pool of workers have in common. */
export interface Runner extends Pick<Encoder, "addAdapter" | "info" | "dispose"> {
  runBatch(requests: readonly TextRequest[], options?: RunOptions): Promise<Results[]>;
}

export interface Work {
  readonly runner: Pick<Runner, "runBatch">;
  readonly tasks: readonly string[];
  readonly options: RunOptions;
  /** Field of a line that holds the results. */
  readonly annotations: string;
  /** Where a row stands, for messages. */
  where(row: Row): string;
}

/** Errors that are about one text. With any other, going on would only give the same for every row. */
const ROW_CODES: ReadonlySet<ErrorCode> = new Set(["text-empty", "text-too-long", "tensor-value"]);

interface ReadRow {
  readonly row: Row;
  readonly content: RowContent;
}

/** Annotates a chunk of rows. One outcome a row, in order; what is wrong with a row is one of them. */
export async function annotateRows(rows: readonly Row[], work: Work): Promise<Outcome[]> {
  const outcomes = new Map<Row, Outcome>();
  const read: ReadRow[] = [];
  for (const row of rows) {
    try {
      read.push({ row, content: row.read() });
    } catch (error) {
      if (!(error instanceof RootstockError)) throw error;
      outcomes.set(row, { row, error });
    }
  }
  await setImmediate(); // lets Ctrl-C in
  if (read.length > 0) await runRows(read, work, outcomes);
  return rows.map((row) => outcomes.get(row)!);
}

/** A worker that was lost is replaced, so its batch is tried once more; rows that end their worker twice are no accident. */
async function run(runner: Work["runner"], requests: readonly TextRequest[], options: RunOptions): Promise<Results[]> {
  try {
    return await runner.runBatch(requests, options);
  } catch (error) {
    if (!(error instanceof RootstockError) || error.code !== "worker-lost") throw error;
    return runner.runBatch(requests, options);
  }
}

/** A batch with a wrong row is refused whole: its halves are tried, so that all others still share passes. */
async function runRows(rows: readonly ReadRow[], work: Work, outcomes: Map<Row, Outcome>): Promise<void> {
  const { runner, tasks, options, annotations } = work;
  let results: Results[];
  try {
    results = await run(runner, rows.map(({ content }) => ({ ...content.content, tasks })), options);
  } catch (error) {
    if (!(error instanceof RootstockError) || !ROW_CODES.has(error.code)) throw error;
    if (rows.length === 1) {
      const { row } = rows[0]!;
      outcomes.set(row, { row, error: new RootstockError(error.code, `${work.where(row)}: ${error.message}`, { cause: error }) });
      return;
    }
    const middle = rows.length >> 1;
    await runRows(rows.slice(0, middle), work, outcomes);
    await runRows(rows.slice(middle), work, outcomes);
    return;
  }
  for (const [index, { row, content }] of rows.entries()) {
    outcomes.set(row, { row, line: `${withField(content.fields, annotations, JSON.stringify(results[index]))}\n` });
  }
}

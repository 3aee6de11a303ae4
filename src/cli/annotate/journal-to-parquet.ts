import { rm } from "node:fs/promises";
import { located } from "../../errors.ts";
import { writing } from "../disk.ts";
import { readLines } from "../read-lines.ts";
import { Columns, columnValue, type ColumnType } from "./columns.ts";
import { jsonFields } from "./json-object.ts";
import { ParquetFile } from "./parquet-file.ts";

/** A task as it becomes columns. */
export interface TaskColumns {
  readonly name: string;
  readonly kind: "sequence" | "token";
}

/** Rows of a group, and UTF-16 units of its lines, whichever is reached first: a group is held in memory. */
const GROUP_ROWS = 16_384;
const GROUP_UNITS = 16_000_000;

/** Names of the columns that a task gets: its results, and for a classifier the likeliest label and its score. */
export function taskColumns({ name, kind }: TaskColumns, prefix: string): [string, ColumnType][] {
  const results: [string, ColumnType] = [`${prefix}${name}`, "json"];
  return kind === "token" ? [results] : [results, [`${prefix}${name}_label`, "string"], [`${prefix}${name}_score`, "double"]];
}

export interface ParquetPlan {
  readonly tasks: readonly TaskColumns[];
  /** Field of the journal's lines that holds the results. */
  readonly annotations: string;
  /** Put before the names of the tasks' columns. */
  readonly prefix: string;
  readonly signal: AbortSignal;
  /** Told the rows written so far. */
  readonly onRows?: (rows: number) => void;
}

/**
 * Makes a Parquet file of a journal: reads it once for the names and types of its columns, and once for their values, one
 * row group in memory.
 *
 * @throws RootstockError `target-unwritable`, `limit-exceeded`
 */
export async function journalToParquet(journal: string, path: string, plan: ParquetPlan): Promise<void> {
  try {
    const types = await columnTypes(journal, plan);
    const columns = [...types, ...plan.tasks.flatMap((task) => taskColumns(task, plan.prefix))];
    await writing(path, async () => {
      const file = await ParquetFile.open(path, columns);
      try {
        await writeGroups(file, journal, types, plan);
        await file.finish();
      } catch (error) {
        await file.discard();
        throw error;
      }
    });
  } catch (error) {
    // What stands in its way, a folder, is not ours.
    await rm(path, { force: true }).catch(() => undefined);
    throw located(error, `${journal} has all results as JSON lines`);
  }
}

/** Types of the fields of the rows. @throws RootstockError `limit-exceeded` */
async function columnTypes(journal: string, { annotations, signal }: ParquetPlan): Promise<Map<string, ColumnType>> {
  const columns = new Columns();
  for await (const fields of journalRows(journal, signal)) {
    for (const { name, value } of fields) if (name !== annotations) columns.add(name, value);
  }
  return columns.types();
}

async function writeGroups(file: ParquetFile, journal: string, types: ReadonlyMap<string, ColumnType>, plan: ParquetPlan): Promise<void> {
  const width = types.size + plan.tasks.reduce((sum, task) => sum + taskColumns(task, "").length, 0);
  const empty = (): unknown[][] => Array.from({ length: width }, () => []);
  let group = empty();
  let units = 0;
  let rows = 0;
  for await (const fields of journalRows(journal, plan.signal)) {
    rows++;
    for (const [index, value] of rowValues(fields, types, plan).entries()) group[index]!.push(value);
    units += fields.reduce((sum, { value }) => sum + value.length, 0);
    if (group[0]!.length < GROUP_ROWS && units < GROUP_UNITS) continue;
    await file.addGroup(group);
    plan.onRows?.(rows);
    group = empty();
    units = 0;
  }
  if (group[0]!.length > 0) await file.addGroup(group);
}

type Fields = ReturnType<typeof jsonFields>;

async function* journalRows(journal: string, signal: AbortSignal): AsyncGenerator<Fields> {
  for await (const lines of readLines(journal, signal, { maxUnits: Infinity })) {
    for (const { text } of lines) yield jsonFields(text);
  }
}

function rowValues(fields: Fields, types: ReadonlyMap<string, ColumnType>, { tasks, annotations }: ParquetPlan): unknown[] {
  const own = new Map(fields.map(({ name, value }) => [name, value]));
  const results = new Map(jsonFields(own.get(annotations)!).map(({ name, value }) => [name, value]));
  const values = [...types].map(([name, type]) => columnValue(type, own.get(name)));
  for (const { name, kind } of tasks) {
    const result = results.get(name)!;
    values.push(result);
    if (kind === "token") continue;
    const [first] = JSON.parse(result) as { label: string; score: number }[];
    values.push(first?.label ?? null, first?.score ?? null);
  }
  return values;
}

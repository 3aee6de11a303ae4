import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema, type AsyncBuffer, type ColumnData, type FileMetaData, type RowGroup, type SchemaTree } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { place } from "../../format/json.ts";
import { RootstockError } from "../../index.ts";
import { readTokens } from "../read-texts.ts";
import { repeated } from "../repeated.ts";
import { Decimals } from "./parquet-decimals.ts";
import { jsonText, JsonValue, PARSERS } from "./parquet-values.ts";
import { emptyText, refuseReserved, type FieldNames, type Row, type RowContent, type RowSource } from "./rows.ts";

/** Rows handed on at a time; a row group, which is read whole, may have a million. */
const PORTION = 1024;

/**
 * Rows of a row group, and values of all its columns. A group is held in memory whole, about 64 bytes a row and 16 a value beside what the values hold:
 * at most 2.1 GB, about half of what Node allows by itself on 64 bits. Writers make groups of 0.1 to 1 million rows.
 */
const MAX_GROUP_ROWS = 2 ** 24;
const MAX_GROUP_VALUES = 2 ** 26;

/** Rows of a Parquet file, one row group in memory; groups that end before row `from` are not read. */
export function parquetRows(path: string, names: FieldNames, from: number, signal: AbortSignal): RowSource {
  let done = 0;
  let total = 0;
  async function* rows(): AsyncGenerator<Row[]> {
    const { file, metadata } = await opening(path);
    const table = new ParquetTable(path, metadata, names);
    total = Number(metadata.num_rows);
    for (const group of metadata.row_groups) {
      signal.throwIfAborted();
      const first = done;
      const end = first + checkGroup(path, group, table.columns);
      if (end > Math.max(from, first)) {
        const values = await readGroup(path, { file, metadata, columns: table.columns, rowStart: first, rowEnd: end });
        for (let at = 0; at < values.length; at += PORTION) {
          const portion = values.slice(at, at + PORTION);
          done = first + at + portion.length;
          yield portion.map((row, index) => table.row(row, first + at + index));
        }
      }
      done = end;
    }
  }
  return { rows: rows(), fraction: () => (total === 0 ? null : done / total) };
}

async function opening(path: string): Promise<{ file: AsyncBuffer; metadata: FileMetaData }> {
  try {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file) };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Before a group is read: the library makes as many rows as it says. @returns its rows @throws RootstockError */
function checkGroup(path: string, { num_rows: count, columns: chunks }: RowGroup, columns: readonly string[]): number {
  if (!(count >= 0n)) throw unreadable(path, new Error(`a row group has ${count} rows`));
  // A column of lists has more values than rows, and never fewer: an empty one counts as well.
  const values = new Map<string, bigint>();
  for (const { meta_data: chunk } of chunks) {
    const name = chunk?.path_in_schema[0];
    if (name !== undefined && chunk!.num_values < (values.get(name) ?? Infinity)) values.set(name, chunk!.num_values);
  }
  const short = columns.find((column) => (values.get(column) ?? 0n) < count);
  if (short !== undefined) throw shortColumn(path, short);
  if (count <= MAX_GROUP_ROWS && Number(count) * columns.length <= MAX_GROUP_VALUES) return Number(count);
  throw new RootstockError(
    "limit-exceeded",
    `${path}: a row group has ${count} rows of ${columns.length} columns, and is read whole: ${MAX_GROUP_ROWS} rows and ${MAX_GROUP_VALUES} values are the most. Write the file with smaller row groups.`,
  );
}

interface Group {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
  readonly rowStart: number;
  readonly rowEnd: number;
}

async function readGroup(path: string, group: Group): Promise<unknown[][]> {
  let rows: unknown[][] = [];
  // What the pages have, which need not be what the group says of them.
  const ends = new Map<string, number>();
  const onChunk = ({ columnName, rowEnd }: ColumnData): void => void ends.set(columnName, Math.max(rowEnd, ends.get(columnName) ?? 0));
  try {
    await parquetRead({ ...group, columns: [...group.columns], compressors, parsers: PARSERS, rowFormat: "array", onChunk, onComplete: (read) => void (rows = read as unknown[][]) });
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const short = group.columns.find((column) => (ends.get(column) ?? 0) < group.rowEnd);
  if (short === undefined) return rows;
  throw shortColumn(path, short);
}

function shortColumn(path: string, column: string): RootstockError {
  return new RootstockError("source-truncated", `${path}: column ${JSON.stringify(column)} has fewer rows than a row group says. Copy the file again.`);
}

function unreadable(path: string, cause: unknown): RootstockError {
  if ((cause as { code?: string }).code === "ENOENT") return new RootstockError("source-missing", `${path} is not there. Check the path.`, { cause });
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RootstockError("source-unreadable", `${path} could not be read as Parquet: ${reason}. Copy the file again, or give --format.`, { cause });
}

/** The columns of a file, and how rows are read by them. */
class ParquetTable {
  readonly columns: readonly string[];
  readonly #path: string;
  readonly #keys: readonly string[]; // columns as JSON
  readonly #schema: readonly SchemaTree[]; // by column
  readonly #decimals: Decimals;
  readonly #names: FieldNames;
  readonly #text: number;
  readonly #tokens: number;

  constructor(path: string, metadata: FileMetaData, names: FieldNames) {
    this.#path = path;
    this.#names = names;
    const schema = parquetSchema(metadata);
    this.#schema = schema.children;
    this.#decimals = new Decimals(schema);
    this.columns = this.#schema.map(({ element }) => element.name);
    this.#keys = this.columns.map((name) => JSON.stringify(name));
    const twice = repeatedName(schema);
    if (twice !== undefined) throw new RootstockError("argument-invalid", `${path}: two columns are called ${JSON.stringify(twice)}. Rename one of them.`);
    refuseReserved(this.columns, names, path);
    this.#text = this.columns.indexOf(names.text);
    this.#tokens = this.columns.indexOf("tokens");
    if (this.#text >= 0 || this.#tokens >= 0) return;
    const known = this.columns.slice(0, 20).map((name) => JSON.stringify(name)).join(", ");
    throw new RootstockError("argument-invalid", `${path}: no column is called ${JSON.stringify(names.text)} or "tokens"; there are ${known}. Give --text-field.`);
  }

  row(values: readonly unknown[], number: number): Row {
    const units = values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : value instanceof JsonValue ? value.text.length : 8), 0);
    return { number, line: null, units, read: () => this.#read(values, `${this.#path}, row ${number}`) };
  }

  #read(values: readonly unknown[], where: string): RowContent {
    const content = this.#content(values, where);
    return { fields: `{${values.map((value, index) => `${this.#keys[index]}:${jsonText(this.#decimals.exact(value, this.#schema[index]!))}`).join(",")}}`, content };
  }

  #content(values: readonly unknown[], where: string): RowContent["content"] {
    const text = plain(values[this.#text]);
    if (typeof text === "string") {
      if (text.trim() === "") throw emptyText(where);
      return { text };
    }
    const tokens = plain(values[this.#tokens]);
    if (tokens != null) return { tokens: readTokens(tokens, place(`${where}: tokens`)) };
    if (text == null) throw emptyText(where);
    throw new RootstockError("json-invalid", `${where}: ${this.#names.text} is no string. Give the column of the texts by --text-field.`);
  }
}

/** A name that two columns have, or two fields of a struct: the library reads by names, and would give the one's values for the other's. */
function repeatedName({ children }: SchemaTree): string | undefined {
  return repeated(children.map(({ element }) => element.name)) ?? children.map(repeatedName).find((name) => name !== undefined);
}

function plain(value: unknown): unknown {
  return value instanceof JsonValue ? value.value : value;
}

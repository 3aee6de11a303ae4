import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema, type AsyncBuffer, type ColumnData, type FileMetaData, type SchemaTree } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { place } from "../../format/json.ts";
import { RootstockError } from "../../index.ts";
import { readTokens } from "../read-texts.ts";
import { Decimals } from "./parquet-decimals.ts";
import { jsonText, JsonValue, PARSERS } from "./parquet-values.ts";
import { emptyText, refuseReserved, type FieldNames, type Row, type RowContent, type RowSource } from "./rows.ts";

/** Rows handed on at a time; a row group, which is read whole, may have a million. */
const PORTION = 1024;

/** Rows of a Parquet file, one row group in memory; groups that end before row `from` are not read. */
export function parquetRows(path: string, names: FieldNames, from: number, signal: AbortSignal): RowSource {
  let done = 0;
  let total = 0;
  async function* rows(): AsyncGenerator<Row[]> {
    const { file, metadata } = await opening(path);
    const table = new ParquetTable(path, metadata, names);
    total = Number(metadata.num_rows);
    for (const { num_rows: count } of metadata.row_groups) {
      signal.throwIfAborted();
      const first = done;
      const end = first + Number(count);
      if (end > from) {
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

interface Group {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
  readonly rowStart: number;
  readonly rowEnd: number;
}

async function readGroup(path: string, group: Group): Promise<unknown[][]> {
  let rows: unknown[][] = [];
  // The library makes as many rows as the group says, whatever its columns have.
  const ends = new Map<string, number>();
  const onChunk = ({ columnName, rowEnd }: ColumnData): void => void ends.set(columnName, Math.max(rowEnd, ends.get(columnName) ?? 0));
  try {
    await parquetRead({ ...group, columns: [...group.columns], compressors, parsers: PARSERS, rowFormat: "array", onChunk, onComplete: (read) => void (rows = read as unknown[][]) });
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const short = group.columns.find((column) => (ends.get(column) ?? 0) < group.rowEnd);
  if (short === undefined) return rows;
  throw new RootstockError("source-truncated", `${path}: column ${JSON.stringify(short)} has fewer rows than a row group says. Copy the file again.`);
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

function plain(value: unknown): unknown {
  return value instanceof JsonValue ? value.value : value;
}

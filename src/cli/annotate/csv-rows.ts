import { parse } from "csv-parse/sync";
import { RootstockError } from "../../index.ts";
import { inputName, readBytes, tooLongLine } from "../read-lines.ts";
import { repeated } from "../repeated.ts";
import { notUtf8, Utf8Text } from "../utf8-text.ts";
import { ByteProgress } from "./byte-progress.ts";
import { CsvRecords, type CsvRecord } from "./csv-records.ts";
import { emptyText, refuseReserved, type FieldNames, type Row, type RowContent, type RowSource } from "./rows.ts";

/** Rows of a CSV file with a header; every field is a string. */
export function csvRows(path: string, delimiter: "," | "\t", names: FieldNames, signal: AbortSignal): RowSource {
  const bytes = new ByteProgress(path);
  async function* rows(): AsyncGenerator<Row[]> {
    let table: CsvTable | null = null;
    let number = 0;
    const utf8 = new Utf8Text(inputName(path));
    for await (const records of readRecords(path, delimiter, utf8, signal, bytes.add)) {
      table ??= new CsvTable(path, delimiter, names, utf8, records.shift()!);
      const known = table;
      yield records.map((record) => known.row(record, number++));
    }
    if (table === null) throw new RootstockError("source-unreadable", `${inputName(path)} is empty: a CSV file begins with a header row.`);
  }
  return { rows: rows(), fraction: () => bytes.fraction() };
}

async function* readRecords(path: string, delimiter: string, utf8: Utf8Text, signal: AbortSignal, onBytes: (bytes: number) => void): AsyncGenerator<CsvRecord[]> {
  const records = new CsvRecords(delimiter);
  for await (const chunk of readBytes(path, signal, { onBytes })) {
    const found = records.push(utf8.decode(chunk));
    if (found.length > 0) yield found;
  }
  const rest = [...records.push(utf8.decode()), ...records.end()];
  if (rest.length > 0) yield rest;
}

/** What the header says, and how records are read by it. */
class CsvTable {
  readonly #path: string;
  readonly #delimiter: string;
  readonly #columns: readonly string[];
  readonly #keys: readonly string[]; // columns as JSON
  readonly #text: number;
  readonly #utf8: Utf8Text;

  constructor(path: string, delimiter: string, names: FieldNames, utf8: Utf8Text, header: CsvRecord) {
    this.#path = path;
    this.#utf8 = utf8;
    this.#delimiter = delimiter;
    const where = this.#where(header);
    if (header.text.includes("\r")) throw new RootstockError("source-unreadable", `${where}: a CR stands within the header. Lines end in LF or CRLF; convert the file.`);
    this.#columns = this.#fields(header);
    this.#keys = this.#columns.map((name) => JSON.stringify(name));
    const twice = repeated(this.#columns);
    if (twice !== undefined) throw new RootstockError("argument-invalid", `${where}: the header names ${JSON.stringify(twice)} twice. Rename one of the columns.`);
    refuseReserved(this.#columns, names, where);
    this.#text = this.#columns.indexOf(names.text);
    if (this.#text >= 0) return;
    const known = this.#columns.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 40))).join(", ");
    throw new RootstockError("argument-invalid", `${where}: no column is called ${JSON.stringify(names.text)}; there are ${known}. Give --text-field, or --format.`);
  }

  row(record: CsvRecord, number: number): Row {
    return { number, line: record.line, units: record.text.length, read: () => this.#read(record) };
  }

  #where(record: CsvRecord): string {
    return `${inputName(this.#path)}, line ${record.line}`;
  }

  #read(record: CsvRecord): RowContent {
    const where = this.#where(record);
    const fields = this.#fields(record);
    if (fields.length !== this.#columns.length) {
      throw new RootstockError("source-unreadable", `${where}: ${fields.length} fields, and the header has ${this.#columns.length}. Correct the line.`);
    }
    const text = fields[this.#text]!;
    if (text.trim() === "") throw emptyText(where);
    // Not JSON.stringify of an object, which would sort names that are numbers and lose "__proto__".
    return { fields: `{${fields.map((value, index) => `${this.#keys[index]}:${JSON.stringify(value)}`).join(",")}}`, content: { text } };
  }

  #fields(record: CsvRecord): string[] {
    const where = this.#where(record);
    if (record.tooLong) throw tooLongLine(inputName(this.#path), record.line);
    if (this.#utf8.isBroken(record.text)) throw notUtf8(where);
    let rows;
    try {
      rows = parse(record.text, { delimiter: this.#delimiter, record_delimiter: ["\r\n", "\n"], relax_column_count: true });
    } catch (cause) {
      const { code = "", message } = cause as { code?: string; message: string };
      const reason = code === "CSV_QUOTE_NOT_CLOSED" ? "a quote is not closed" : message.replace(/:? at line \d+/, "").replace(/ +/g, " ");
      throw new RootstockError("source-unreadable", `${where} is no sound CSV: ${reason}. Quote fields that have quotes in them, and double those.`, { cause });
    }
    return rows[0] ?? [];
  }
}

import { RootstockError } from "../../index.ts";

/** What a row says, once it has been read. */
export interface RowContent {
  /** The row's own fields: the text of a JSON object, as it came where it came as JSON. */
  readonly fields: string;
  readonly content: { readonly text: string } | { readonly tokens: readonly string[] };
}

/** A row of the input that need not have been parsed: rows that are passed over never are. */
export interface Row {
  /** From 0, over all rows of the input, bad ones too. */
  readonly number: number;
  /** Line of the file where it begins, from 1; null where the file has no lines. */
  readonly line: number | null;
  /** About how many UTF-16 units it holds in memory. */
  readonly units: number;
  /** @throws RootstockError what is wrong with this row alone */
  read(): RowContent;
}

/** Rows in order, an array as often as the data come. */
export interface RowSource {
  readonly rows: AsyncIterable<readonly Row[]>;
  /** Share of the input that has been read; null when its size is not known. */
  fraction(): number | null;
}

/** Names of fields: which one is read, and which ones are ours. */
export interface FieldNames {
  readonly text: string;
  /** Field of a JSON line that holds the results. */
  readonly annotations: string;
  /** Names that no field of the input may have: `annotations`, and the columns that a Parquet file gets. */
  readonly reserved: ReadonlySet<string>;
}

/** @throws RootstockError `argument-invalid` */
export function refuseReserved(names: Iterable<string>, { reserved, annotations }: FieldNames, where: string): void {
  for (const name of names) {
    if (!reserved.has(name)) continue;
    throw new RootstockError(
      "argument-invalid",
      `${where}: there is a field ${JSON.stringify(name)} already, which the results would take. Give --annotations-field a name other than ${JSON.stringify(annotations)}.`,
    );
  }
}

export function emptyText(where: string): RootstockError {
  return new RootstockError("text-empty", `${where}: the text is empty. Leave empty texts out.`);
}

/** The text of a JSON object with one more field at its end. */
export function withField(object: string, name: string, value: string): string {
  const open = object.trimEnd().slice(0, -1).trimEnd();
  return `${open}${open.endsWith("{") ? "" : ","}${JSON.stringify(name)}:${value}}`;
}

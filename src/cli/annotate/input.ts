import { statSync } from "node:fs";
import { RootstockError } from "../../index.ts";
import { reading } from "../disk.ts";
import { csvRows } from "./csv-rows.ts";
import { jsonRows, textRows } from "./json-rows.ts";
import { parquetRows } from "./parquet-rows.ts";
import type { InputFormat } from "./plan.ts";
import type { FieldNames, RowSource } from "./rows.ts";

export interface Input {
  /** "-" = standard input. */
  readonly path: string;
  readonly format: InputFormat;
}

/** @param from rows before this one may be left out */
export function openRows({ path, format }: Input, names: FieldNames, from: number, signal: AbortSignal): RowSource {
  switch (format) {
    case "jsonl":
      return jsonRows(path, names, signal);
    case "text":
      return textRows(path, names, signal);
    case "csv":
      return csvRows(path, ",", names, signal);
    case "tsv":
      return csvRows(path, "\t", names, signal);
    case "parquet":
      return parquetRows(path, names, from, signal);
  }
}

/** @throws RootstockError `source-missing`, `source-unreadable`, before anything else is done */
export function checkInput({ path }: Input): void {
  const stat = path === "-" ? null : reading(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stat === undefined) throw new RootstockError("source-missing", `${path} is not there. Check the path.`);
  if (stat?.isDirectory()) throw new RootstockError("source-unreadable", `${path} is a folder. Give a file.`);
}

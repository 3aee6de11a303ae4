import { RootstockError } from "../../index.ts";
import { field, place } from "../../format/json.ts";
import { inputName, readLines, type Line } from "../read-lines.ts";
import { readJsonLine, readTokens } from "../read-texts.ts";
import { ByteProgress } from "./byte-progress.ts";
import { emptyText, refuseReserved, type FieldNames, type Row, type RowContent, type RowSource } from "./rows.ts";

/** Rows of JSON lines: objects with a text field, or `tokens`. */
export function jsonRows(path: string, names: FieldNames, signal: AbortSignal): RowSource {
  const where = inputName(path);
  const read = (line: Line): RowContent => readObjectLine(line, path, names);
  return lineRows(path, signal, read, (first) => {
    let fields;
    try {
      fields = readJsonLine(first, path);
    } catch {
      return; // a bad row, which comes out in its turn
    }
    refuseReserved(fields.keys(), names, `${where}, line ${first.number}`);
  });
}

/** Rows of plain text: each line that is not blank. */
export function textRows(path: string, names: FieldNames, signal: AbortSignal): RowSource {
  const read = ({ text }: Line): RowContent => ({ fields: `{${JSON.stringify(names.text)}:${JSON.stringify(text)}}`, content: { text } });
  return lineRows(path, signal, read, () => refuseReserved([names.text], names, inputName(path)));
}

function lineRows(path: string, signal: AbortSignal, read: (line: Line) => RowContent, onFirst?: (line: Line) => void): RowSource {
  const bytes = new ByteProgress(path);
  const toRow = (line: Line, number: number): Row => ({
    number,
    line: line.number,
    units: line.text.length,
    read() {
      if (line.problem !== undefined) throw line.problem;
      return read(line);
    },
  });
  async function* rows(): AsyncGenerator<Row[]> {
    let number = 0;
    for await (const lines of readLines(path, signal, { onBytes: bytes.add, keepBad: true })) {
      if (number === 0) onFirst?.(lines[0]!);
      yield lines.map((line) => toRow(line, number++));
    }
  }
  return { rows: rows(), fraction: () => bytes.fraction() };
}

function readObjectLine(line: Line, path: string, names: FieldNames): RowContent {
  const at = place(`${inputName(path)}, line ${line.number}`);
  const fields = readJsonLine(line, path);
  refuseReserved(fields.keys(), names, at.path);
  const text = fields.get(names.text);
  if (typeof text === "string") {
    if (text.trim() === "") throw emptyText(at.path);
    return { fields: line.text.trim(), content: { text } };
  }
  const tokens = fields.get("tokens");
  if (tokens !== undefined) return { fields: line.text.trim(), content: { tokens: readTokens(tokens, field(at, "tokens")) } };
  throw new RootstockError("json-invalid", `${at.path}: the object has neither ${JSON.stringify(names.text)} (a string) nor "tokens" (a list of strings).`);
}

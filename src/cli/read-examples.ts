import { RootstockError } from "../index.ts";
import { field, place, readList, readString } from "../format/json.ts";
import { inputName, MAX_LINE_UNITS, readLines, type Line } from "./read-lines.ts";
import { readJsonLine, readTokens, type TextItem } from "./read-texts.ts";

/** A text with the right answer. */
export type Example = TextItem & ({ readonly label: string; readonly tags?: undefined } | { readonly tags: readonly string[]; readonly label?: undefined });

/**
 * Examples of a JSONL file: {text, label} for classification, {tokens, tags} for NER. All of one kind.
 *
 * @throws RootstockError as `readLines`, and `json-invalid` with the line
 */
export async function* readExamples(path: string, kind: "sequence" | "token", signal: AbortSignal): AsyncGenerator<Example[]> {
  const read = kind === "token" ? readTagged : readLabelled;
  for await (const lines of readLines(path, signal)) yield lines.map((line) => read(line, path));
}

function readLabelled(line: Line, path: string): Example {
  const where = `${inputName(path)}, line ${line.number}`;
  const fields = readJsonLine(line, path);
  const text = fields.get("text");
  if (typeof text !== "string" || !fields.has("label")) {
    throw new RootstockError("json-invalid", `${where}: a text classifier needs {"text": …, "label": …}. Give its test set.`);
  }
  return { where, content: { text }, label: readString(fields.get("label"), field(place(where), "label")) };
}

function readTagged(line: Line, path: string): Example {
  const where = `${inputName(path)}, line ${line.number}`;
  const fields = readJsonLine(line, path);
  if (!fields.has("tokens") || !fields.has("tags")) {
    throw new RootstockError("json-invalid", `${where}: an NER adapter needs {"tokens": […], "tags": […]}. Give its test set.`);
  }
  const at = place(where);
  const tokens = readTokens(fields.get("tokens"), field(at, "tokens"));
  const tags = readList(fields.get("tags"), field(at, "tags"), MAX_LINE_UNITS, (tag, tagAt) => readString(tag, tagAt));
  if (tokens.length !== tags.length) throw new RootstockError("json-invalid", `${where}: ${tokens.length} tokens and ${tags.length} tags. Give one tag a token.`);
  return { where, content: { tokens }, tags };
}

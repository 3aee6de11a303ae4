import { RootstockError, type Encoder } from "../index.ts";
import { makeExample, type DevExample } from "../finetune/examples.ts";
import { LabelBook } from "../finetune/label-book.ts";
import { readRow } from "../finetune/rows.ts";
import { Warnings } from "../finetune/warnings.ts";
import { field, place, readList, readObject, readString } from "../format/json.ts";
import { splitTag } from "../heads/tags.ts";
import { inputName, MAX_LINE_UNITS, readLines, type Line } from "./read-lines.ts";
import { parseJsonLine, readTokens, type TextItem } from "./read-texts.ts";
import { wordEnds } from "./word-tags.ts";

/** The right answer to a text: one label, any number of labels, or a tag a word. */
export type Answer =
  | { readonly form: "label"; readonly label: string }
  | { readonly form: "labels"; readonly labels: readonly string[] }
  | {
      readonly form: "tags";
      readonly tags: readonly string[];
      /** UTF-16 unit of the text behind each word. */
      readonly ends: readonly number[];
      /** Types of entities whose words were all cut off. */
      readonly lost: readonly string[];
    };

/** A text with its right answer. */
export type Example = TextItem & { readonly answer: Answer };

export interface ExampleOptions {
  readonly kind: "sequence" | "token";
  readonly tokenizer: NonNullable<Encoder["loaded"]["tokenizer"]>;
  readonly maxTokens: number;
  readonly offsets: "utf16" | "codepoint";
  /** Tokens and tags are read where a row has text and spans as well. */
  readonly preferTokens: boolean;
  readonly signal: AbortSignal;
}

/**
 * Examples of a JSONL file, read as training reads rows, so that both count alike. All of one form; those without a text are left out.
 *
 * @throws RootstockError as `readLines`, and `json-invalid` with the line
 */
export async function* readExamples(path: string, options: ExampleOptions): AsyncGenerator<Example[]> {
  let form: Answer["form"] | null = null;
  for await (const lines of readLines(path, options.signal)) {
    const examples = lines.map((line) => (options.kind === "token" ? readTagged(line, path, options) : readLabelled(line, path))).filter((example) => example !== null);
    for (const { answer, where } of examples) {
      form ??= answer.form;
      if (answer.form !== form) throw new RootstockError("json-invalid", `${where}: the rows before have "${form}", this one has "${answer.form}". Give rows of one form.`);
    }
    yield examples;
  }
}

function readLabelled(line: Line, path: string): Example | null {
  const where = placeOf(line, path);
  const value = parseJsonLine(line, path);
  const fields = readObject(value, place(where));
  // As training reads a row with both; null is "not given".
  const isOne = fields.get("labels") == null;
  if (typeof fields.get("text") !== "string" || (isOne && fields.get("label") == null)) {
    throw new RootstockError("json-invalid", `${where}: a text classifier needs {"text": …, "label": …} or {"text": …, "labels": […]}. Give its test set.`);
  }
  const row = readRow(value, place(where), isOne ? "classification" : "multi-label", { offsets: "utf16" });
  if (row.kind === "ner" || row.text.trim() === "") return null;
  return { where, content: { text: row.text }, answer: isOne ? { form: "label", label: row.labels[0]! } : { form: "labels", labels: row.labels } };
}

function readTagged(line: Line, path: string, options: ExampleOptions): Example | null {
  const where = placeOf(line, path);
  const at = place(where);
  let value = parseJsonLine(line, path);
  const fields = readObject(value, at);
  const hasTags = fields.has("tokens") && fields.has("tags");
  if (!hasTags && !(fields.has("text") && fields.has("spans"))) {
    throw new RootstockError("json-invalid", `${where}: an NER adapter needs {"tokens": […], "tags": […]} or {"text": …, "spans": […]}. Give its test set.`);
  }
  if (hasTags && (options.preferTokens || !fields.has("spans"))) {
    const tokens = readTokens(fields.get("tokens"), field(at, "tokens"));
    const tags = readList(fields.get("tags"), field(at, "tags"), MAX_LINE_UNITS, (tag, tagAt) => readString(tag, tagAt));
    if (tokens.length !== tags.length) throw new RootstockError("json-invalid", `${where}: ${tokens.length} tokens and ${tags.length} tags. Give one tag a token.`);
    // Those are nothing to train on, but a head may have such labels.
    if (tags.some((tag) => tag !== "O" && !splitTag(tag)?.type)) return { where, content: { tokens }, answer: { form: "tags", tags, ends: wordEnds(tokens), lost: [] } };
    value = { tokens, tags };
  }
  const row = readRow(value, at, "ner", options);
  const book = new LabelBook();
  const example = makeExample(options.tokenizer, row, where, { maxLength: options.maxTokens, book, warnings: new Warnings() });
  if (example === null || row.kind !== "ner") return null;
  return { where, content: "words" in row ? { tokens: row.words } : { text: row.text }, answer: answerOf(example, book) };
}

function answerOf({ gold, ends, lost }: DevExample, book: LabelBook): Answer {
  const { names, indexOf } = book.classes("ner", []);
  return { form: "tags", tags: Array.from(gold, (number) => names[indexOf[number]!]!), ends: [...ends], lost };
}

function placeOf({ number }: Line, path: string): string {
  return `${inputName(path)}, line ${number}`;
}

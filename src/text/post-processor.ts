import { RootstockError } from "../errors.ts";
import { MAX_TEMPLATE_TOKENS } from "../limits.ts";
import type { Template } from "./encoding.ts";
import { field, invalid, readArray, readId, readObject, readShortArray, readString, shown, typeOf, type JsonObject } from "./json-reader.ts";

/** The special tokens around one text, from `post_processor`. Its offset options need nothing: offsets leave out spaces. */
export function readTemplate(part: unknown): Template {
  const type = typeOf(part);
  if (type === "none" || type === "ByteLevel") return { prefix: [], suffix: [] };
  const object = readObject(part, "post_processor");
  if (type === "TemplateProcessing") return readTemplateProcessing(object);
  if (type === "BertProcessing" || type === "RobertaProcessing") {
    return { prefix: [readPair(object, "cls")], suffix: [readPair(object, "sep")] };
  }
  if (type === "Sequence") return readSequence(object);
  throw invalid(
    `post_processor is of type ${shown(type)}; TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence are read`,
  );
}

/** Later processors go around what earlier ones made. */
function readSequence(object: JsonObject): Template {
  const template: { prefix: number[]; suffix: number[] } = { prefix: [], suffix: [] };
  for (const processor of readArray(field(object, "processors"), "post_processor.processors")) {
    if (typeOf(processor) === "Sequence") throw invalid("post_processor is a Sequence within a Sequence");
    const inner = readTemplate(processor);
    template.prefix.unshift(...inner.prefix);
    template.suffix.push(...inner.suffix);
    checkCount(template);
  }
  return template;
}

function checkCount({ prefix, suffix }: Template): void {
  const count = prefix.length + suffix.length;
  if (count <= MAX_TEMPLATE_TOKENS) return;
  throw new RootstockError("limit-exceeded", `tokenizer.json: post_processor puts ${count} tokens around a text; at most ${MAX_TEMPLATE_TOKENS} are read.`);
}

function readPair(object: JsonObject, name: string): number {
  return readId(readArray(field(object, name), `post_processor.${name}`)[1], `post_processor.${name}[1]`);
}

function readTemplateProcessing(object: JsonObject): Template {
  const specials = readObject(field(object, "special_tokens"), "post_processor.special_tokens");
  const prefix: number[] = [];
  const suffix: number[] = [];
  let side = prefix;
  for (const item of readArray(field(object, "single"), "post_processor.single")) {
    const entry = readObject(item, "post_processor.single[]");
    const special = field(entry, "SpecialToken");
    const isText = special === undefined;
    const part = readObject(isText ? field(entry, "Sequence") : special, "post_processor.single[]");
    if (field(part, "type_id") !== 0) throw invalid("post_processor gives a single text another token type than 0");
    if (isText) {
      if (side === suffix) throw invalid("post_processor.single has the text twice");
      side = suffix;
    } else {
      side.push(...specialIds(specials, readString(field(part, "id"), "post_processor.single[].SpecialToken.id")));
      checkCount({ prefix, suffix });
    }
  }
  if (side !== suffix) throw invalid("post_processor.single has no place for the text");
  return { prefix, suffix };
}

function specialIds(specials: JsonObject, name: string): number[] {
  const where = `post_processor.special_tokens[${shown(name)}]`;
  const special = readObject(field(specials, name), where);
  return readShortArray(field(special, "ids"), MAX_TEMPLATE_TOKENS, `${where}.ids`).map((id) => readId(id, `${where}.ids`));
}

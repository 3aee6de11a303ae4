import { RootstockError } from "../errors.ts";
import { MAX_ADDED_TOKEN_UNITS, MAX_ADDED_TOKENS } from "../limits.ts";
import type { AddedToken } from "./added-tokens.ts";
import { field, isObject, readArray, readFlag, readId, readObject, readPiece, type JsonObject } from "./json-reader.ts";

interface ListedToken extends AddedToken {
  readonly isSpecial: boolean;
}

/**
 * The added tokens of tokenizer.json, and those that tokenizer_config.json alone names: its `added_tokens_decoder`, and
 * additional special tokens that are in the vocabulary. Of one content the first counts, and the vocabulary's id before that
 * of the decoder, as in the reference; special ones come first, as it looks for them.
 *
 * @param idOf the id of a piece of the model's vocabulary
 * @throws RootstockError `tokenizer-invalid`; `limit-exceeded` past `MAX_ADDED_TOKENS` or `MAX_ADDED_TOKEN_UNITS`.
 */
export function readAddedTokens(json: JsonObject, config: JsonObject, idOf: (piece: string) => number | undefined): AddedToken[] {
  const tokens = new Map<string, ListedToken>();
  const add = (token: ListedToken): void => {
    if (tokens.has(token.content)) return;
    if (tokens.size === MAX_ADDED_TOKENS) {
      throw new RootstockError("limit-exceeded", `tokenizer.json and tokenizer_config.json: there are more than ${MAX_ADDED_TOKENS} added tokens.`);
    }
    tokens.set(token.content, token);
  };
  readArray(field(json, "added_tokens") ?? [], "added_tokens").forEach((item, i) => {
    const where = `added_tokens[${i}]`;
    add(readToken(readObject(item, where), field(item as JsonObject, "id"), where));
  });
  for (const [id, item] of Object.entries(readObject(field(config, "added_tokens_decoder") ?? {}, "tokenizer_config.json's added_tokens_decoder"))) {
    const where = `tokenizer_config.json's added_tokens_decoder[${JSON.stringify(id.slice(0, 20))}]`;
    const token = readToken(readObject(item, where), Number(id), where);
    add({ ...token, id: idOf(token.content) ?? token.id });
  }
  for (const content of namedSpecialTokens(config)) {
    const id = idOf(content);
    if (id !== undefined) add(readToken({ content, special: true }, id, "tokenizer_config.json's additional_special_tokens"));
  }
  const listed = [...tokens.values()];
  return [...listed.filter(({ isSpecial }) => isSpecial), ...listed.filter(({ isSpecial }) => !isSpecial)];
}

function readToken(token: JsonObject, id: unknown, where: string): ListedToken {
  const flag = (name: string, fallback: boolean): boolean => readFlag(field(token, name), fallback, `${where}.${name}`);
  const isSpecial = flag("special", false);
  return {
    id: readId(id, `${where}.id`),
    content: readPiece(field(token, "content"), MAX_ADDED_TOKEN_UNITS, `${where}.content`),
    singleWord: flag("single_word", false),
    lstrip: flag("lstrip", false),
    rstrip: flag("rstrip", false),
    normalized: flag("normalized", !isSpecial),
    isSpecial,
  };
}

/** Special tokens that are given as their text; newer files name them all, older ones list them. */
function namedSpecialTokens(config: JsonObject): string[] {
  const values = ["additional_special_tokens", "extra_special_tokens"].flatMap((name) => {
    const given = field(config, name);
    return Array.isArray(given) || isObject(given) ? Object.values(given as JsonObject) : [];
  });
  return values.filter((value) => typeof value === "string");
}

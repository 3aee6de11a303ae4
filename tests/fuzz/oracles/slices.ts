import { byteCharacters } from "../../unit/text/byte-characters.ts";
import type { Encoded } from "../../../src/text/encoding.ts";
import type { TextTokenizer } from "../../../src/text/tokenizer.ts";
import { readAddedTokens } from "../../../src/text/added-tokens-json.ts";
import { readTokenizerParts } from "../../../src/text/tokenizer-json.ts";

type Json = Readonly<Record<string, unknown>>;

/** Says what is wrong with the slice of the text at a token's range, or null. */
export type SliceFault = (encoded: Encoded, text: string) => string | null;

/**
 * Whether each token is the text at its range: the slice, normalised by itself, is what the vocabulary has under the token's id. Left
 * out are tokens that share a character with a neighbour, of which each has the whole range, and the unknown token, which is anything.
 */
export function sliceFaults({ kind }: TextTokenizer, json: Json): SliceFault {
  const { encoder, idOf } = readTokenizerParts(json, {}, 0);
  const model = json["model"] as { vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[]; unk_token?: string; unk_id?: number };
  const entries: readonly (readonly [string, number])[] = Array.isArray(model.vocab) ? model.vocab.map(([piece], id) => [piece, id] as const) : Object.entries(model.vocab);
  const pieces = new Map(entries.map(([piece, id]) => [id, piece]));
  const unknown = kind === "Unigram" ? model.unk_id : kind === "WordPiece" ? Object.entries(model.vocab).find(([piece]) => piece === (model.unk_token ?? "[UNK]"))?.[1] : undefined;
  const added = new Map(readAddedTokens(json, {}, idOf).map(({ id, content }) => [id, content]));
  const bytes = byteCharacters();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const decoded = (piece: string): string => decoder.decode(Uint8Array.from(piece, (character) => bytes.get(character)!));

  const isRight = (id: number, slice: string): boolean => {
    const content = added.get(id);
    if (content !== undefined && encoder.normalize(slice).text === encoder.normalize(content).text) return true;
    const piece = pieces.get(id);
    if (piece === undefined) return false;
    if (kind === "BPE") return decoded(piece).trim() === slice.replace(/\p{Surrogate}/gu, "\ufffd").trim();
    const normalized = encoder.normalize(slice).text.trim();
    if (kind === "WordPiece") return piece === normalized || piece.replace(/^##/, "") === normalized;
    return piece.replace(/^▁/, "") === normalized.replace(/^▁/, "");
  };

  return ({ ids, tokenStart, tokenEnd, prefixLength, suffixLength }, text) => {
    const end = ids.length - suffixLength;
    for (let i = prefixLength; i < end; i++) {
      const [from, to] = [tokenStart[i]!, tokenEnd[i]!];
      const isShared = (i > prefixLength && tokenEnd[i - 1]! > from) || (i + 1 < end && tokenStart[i + 1]! < to);
      if (isShared || ids[i] === unknown || isRight(ids[i]!, text.slice(from, to))) continue;
      return `token ${i}, ${JSON.stringify(pieces.get(ids[i]!))}, at ${from}, ${to} is ${JSON.stringify(text.slice(from, to))}`;
    }
    return null;
  };
}

import { goldenFamily, tokenizerJson, type FamilyName } from "../unit/text/goldens.ts";
import { encoded, WORD_PIECE } from "./micro.ts";

/** Small tokenizer.json of every model and normaliser that is read: variants of the goldens with few of their pieces. */
export function tokenizerFiles(): Map<string, Uint8Array> {
  const files = new Map([["micro", encoded(WORD_PIECE)]]);
  for (const name of ["word-piece", "byte-level", "unigram"] as const) {
    const family = goldenFamily(name);
    const model = fewPieces(name, family.model);
    for (const variant of family.variants) files.set(`${name} ${variant.label}`, encoded({ ...tokenizerJson(family, variant), model }));
  }
  return files;
}

function fewPieces(name: FamilyName, model: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (name === "unigram") return { ...model, vocab: (model["vocab"] as unknown[]).slice(0, 80) };
  const vocab = Object.entries(model["vocab"] as Record<string, number>);
  if (name === "word-piece") return { ...model, vocab: Object.fromEntries([...vocab.slice(0, 60), ...vocab.filter(([piece]) => piece.startsWith("##")).slice(0, 30)]) };
  const merges = (model["merges"] as (string | [string, string])[]).slice(0, 24);
  const products = new Set(merges.map((merge) => (typeof merge === "string" ? merge.replace(" ", "") : merge.join(""))));
  return { ...model, merges, vocab: Object.fromEntries(vocab.filter(([piece]) => piece.length === 1 || products.has(piece) || piece.startsWith("<"))) };
}

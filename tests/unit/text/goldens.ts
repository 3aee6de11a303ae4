import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { TextTokenizer } from "../../../src/text/tokenizer.ts";
import { createTokenizer } from "../../../src/text/tokenizer.ts";

/** Ids and UTF-16 offsets that the reference tokenizer gives for `texts[text]`. */
export interface GoldenText {
  readonly text: number;
  readonly ids: readonly number[];
  readonly offsets: readonly (readonly [number, number])[];
}

/** The same for words already split; `words` is the word of each token, offsets count within the word. */
export interface GoldenWords {
  readonly ids: readonly number[];
  readonly words: readonly (number | null)[];
  readonly offsets: readonly (readonly [number, number])[];
}

export interface GoldenVariant {
  readonly label: string;
  /** tokenizer.json without its model, which all variants of a family share. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly texts: readonly GoldenText[];
  readonly words: readonly GoldenWords[];
}

export interface GoldenFamily {
  /** Name and version of the reference. */
  readonly reference: string;
  readonly model: Readonly<Record<string, unknown>>;
  readonly texts: readonly string[];
  readonly words: readonly (readonly string[])[];
  readonly variants: readonly GoldenVariant[];
}

export type FamilyName = "word-piece" | "byte-level" | "unigram";

function readGzipped(name: string): unknown {
  const path = fileURLToPath(new URL(`../../golden/text/${name}.json.gz`, import.meta.url));
  return JSON.parse(gunzipSync(readFileSync(path)).toString("utf8"));
}

export function goldenFamily(name: FamilyName): GoldenFamily {
  const family = readGzipped(name) as GoldenFamily;
  if (name !== "unigram") return family;
  const charsmap = nmtNfkc(); // the files leave it out, for each would have it twice
  const variants = family.variants.map((variant) => ({
    ...variant,
    tokenizer: JSON.parse(JSON.stringify(variant.tokenizer), (key, value: unknown) => (key === "precompiled_charsmap" ? charsmap : value)) as Record<string, unknown>,
  }));
  return { ...family, variants };
}

/** The `precompiled_charsmap` of XLM-R's and ALBERT's rule, nmt_nfkc, as sentencepiece 0.2.3 writes it; in base64. */
export function nmtNfkc(): string {
  return gunzipSync(readFileSync(fileURLToPath(new URL("../../golden/text/nmt-nfkc.bin.gz", import.meta.url)))).toString("base64");
}

/** tokenizer.json of a variant. */
export function tokenizerJson(family: GoldenFamily, variant: GoldenVariant): Record<string, unknown> {
  return { ...variant.tokenizer, model: family.model };
}

/** The tokenizers of a family's variants by label. */
export function tokenizersOf(name: FamilyName, cacheWords?: number): Map<string, TextTokenizer> {
  const family = goldenFamily(name);
  return new Map(
    family.variants.map((variant) => [variant.label, createTokenizer(tokenizerJson(family, variant), null, cacheWords)]),
  );
}

export const uncased = readGzipped("bert-uncased") as {
  readonly reference: string;
  readonly words: readonly (GoldenWords & { readonly tokens: readonly string[] })[];
  /** Digest of the normalised and pre-tokenised "x" + character + "x", one per 4,096 code points. */
  readonly codePoints: readonly string[];
};

/** The 5,449 strings of the reference (tokenizers 0.23.3) with the shipped encoder's vocabulary, one JSON object a line. */
export function miniLmRows(): string[] {
  const path = fileURLToPath(new URL("../../golden/text/minilm.jsonl.gz", import.meta.url));
  return gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n");
}

/** The shipped encoder's tokenizer. */
export function miniLm(cacheWords?: number): TextTokenizer {
  const read = (name: string): unknown => JSON.parse(readFileSync(fileURLToPath(new URL(`../../../models/mtpf-minilm-l6/${name}`, import.meta.url)), "utf8"));
  return createTokenizer(read("tokenizer.json"), read("tokenizer_config.json"), cacheWords);
}

interface CharsmapGoldens {
  readonly reference: string;
  /** By 4,096 code points, those from U+E0000 last, a digest of these lines, normalised: each character between two x, and before an acute accent. */
  readonly codePoints: readonly string[];
  /** Text and normalised text. */
  readonly texts: readonly (readonly [string, string])[];
  /** A map of a few rules. */
  readonly own: { readonly charsmap: string; readonly texts: readonly (readonly [string, string])[] };
}

export function charsmapGoldens(): CharsmapGoldens {
  return readGzipped("charsmap") as CharsmapGoldens;
}

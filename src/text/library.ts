import * as library from "@huggingface/tokenizers";

/** What is used of `@huggingface/tokenizers`, typed here: its own declarations import without file endings and so are empty. */

export interface BpeModel {
  tokens_to_ids: ReadonlyMap<string, number>;
  readonly ignore_merges: boolean;
  /** Its own cache of words, which ours makes superfluous. */
  readonly cache: { capacity: number };
  /** The tokens of one pre-token; joined they are the pre-token. */
  bpe(preToken: string): readonly string[];
}

export interface Normalizer {
  normalize(text: string): string;
}

type NormalizerClass = new (config: { readonly type: string }) => Normalizer;

interface Library {
  readonly BPE: new (config: {
    readonly type: "BPE";
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
    readonly ignore_merges: boolean;
  }) => BpeModel;
  readonly ByteLevelPreTokenizer: new (config: { readonly type: "ByteLevel" }) => {
    /** The character that stands for each byte. */
    readonly byte_encoder: Readonly<Record<number, string>>;
  };
  readonly LowercaseNormalizer: NormalizerClass;
  readonly NFCNormalizer: NormalizerClass;
  readonly NFDNormalizer: NormalizerClass;
  readonly NFKCNormalizer: NormalizerClass;
  readonly NFKDNormalizer: NormalizerClass;
  readonly StripAccentsNormalizer: NormalizerClass;
}

export const {
  BPE,
  ByteLevelPreTokenizer,
  LowercaseNormalizer,
  NFCNormalizer,
  NFDNormalizer,
  NFKCNormalizer,
  NFKDNormalizer,
  StripAccentsNormalizer,
} = library as unknown as Library;

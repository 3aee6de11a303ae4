import type { AlignedText } from "./aligned-text.ts";
import type { EncodingBuilder } from "./encoding.ts";

/** How a segment stands in its input. */
export interface SegmentPlace {
  /** Nothing precedes it in the input: `prepend_scheme: "first"` looks at this. */
  readonly isFirst: boolean;
  /** It is (part of) a word given by the caller: byte-level models then read it with a space before it. */
  readonly isGivenWord: boolean;
}

/** Units [from, to) of a normalised text, at least one: what lies between added tokens that were found in it. */
export interface NormalizedSlice {
  /** The text before normalisation. */
  readonly source: string;
  readonly aligned: AlignedText;
  readonly from: number;
  readonly to: number;
}

/** One tokenizer family: normalisation, splitting, pieces and offsets of text without added tokens. */
export interface SegmentEncoder {
  /** Adds the tokens of `text` to `out`, offsets counted from `base`. `text` is not empty. */
  encode(text: string, base: number, place: SegmentPlace, out: EncodingBuilder): void;
  /** The normalised text with sources, for added tokens that are looked for after normalisation. */
  normalize(text: string): AlignedText;
  /** As `encode`, of a part of what `normalize` gave: normalised again, it could lose characters. */
  encodeNormalized(slice: NormalizedSlice, base: number, place: SegmentPlace, out: EncodingBuilder): void;
}

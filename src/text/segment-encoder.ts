import type { AlignedText } from "./aligned-text.ts";
import type { EncodingBuilder } from "./encoding.ts";

/** How a segment stands in its input. */
export interface SegmentPlace {
  /** Nothing precedes it in the input: `prepend_scheme: "first"` looks at this. */
  readonly isFirst: boolean;
  /** It is (part of) a word given by the caller: byte-level models then read it with a space before it. */
  readonly isGivenWord: boolean;
}

/** One tokenizer family: normalisation, splitting, pieces and offsets of text without added tokens. */
export interface SegmentEncoder {
  /** Adds the tokens of `text` to `out`, offsets counted from `base`. `text` is not empty. */
  encode(text: string, base: number, place: SegmentPlace, out: EncodingBuilder): void;
  /** The normalised text with sources, for added tokens that are looked for after normalisation. */
  normalize(text: string): AlignedText;
}

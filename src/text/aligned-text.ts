import { RootstockError } from "../errors.ts";
import { MAX_NORMALIZED_UNITS } from "../limits.ts";

/**
 * A normalised text that remembers where each of its UTF-16 units came from.
 * `start[i]`, `end[i]`: half-open range in the source text of unit i of `text`; both never fall. A unit that stands for
 * nothing in the source (a prefix space) has an empty range.
 */
export interface AlignedText {
  readonly text: string;
  readonly start: readonly number[];
  readonly end: readonly number[];
}

/** Collects an `AlignedText` left to right. @throws RootstockError `text-too-long` past `MAX_NORMALIZED_UNITS`, from `push` and `copy`. */
export class AlignedTextBuilder {
  #text = "";
  readonly #start: number[] = [];
  readonly #end: number[] = [];

  /** Appends `text`, every unit of which stands for source units [start, end). */
  push(text: string, start: number, end: number): void {
    this.#text += text;
    this.#checkLength();
    for (let i = 0; i < text.length; i++) {
      this.#start.push(start);
      this.#end.push(end);
    }
  }

  /** Appends units [from, to) of another text with their own sources. */
  copy(source: AlignedText, from: number, to: number): void {
    this.#text += source.text.slice(from, to);
    this.#checkLength();
    for (let i = from; i < to; i++) {
      this.#start.push(source.start[i] as number);
      this.#end.push(source.end[i] as number);
    }
  }

  /** Gives the source range [start, end) to the character just before it, if that character ends at `start`. */
  attach(start: number, end: number): void {
    const last = this.#end.length - 1;
    if (this.#end[last] !== start) return;
    const first = this.#start[last];
    // One source character can stand as several units (Hangul, surrogate pairs): at most six, so this stays linear.
    for (let i = last; i >= 0 && this.#start[i] === first; i--) this.#end[i] = end;
  }

  #checkLength(): void {
    if (this.#text.length <= MAX_NORMALIZED_UNITS) return;
    throw new RootstockError("text-too-long", `normalised, the text has more than ${MAX_NORMALIZED_UNITS} UTF-16 units. Split it into parts.`);
  }

  build(): AlignedText {
    return { text: this.#text, start: this.#start, end: this.#end };
  }
}

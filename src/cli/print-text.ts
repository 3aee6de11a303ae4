import { UNPRINTABLE } from "../errors.ts";

/** A stretch of text that is painted in one way. */
export interface Piece {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** A stretch of the text that is set off, with its label. UTF-16 units, half-open. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** The text with every unit that a terminal would obey replaced, unit by unit, so that offsets still fit. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (unit) => (/\s/.test(unit) ? " " : "\ufffd"));
}

/** The text as pieces, each mark as `[words|LABEL]`. Marks are in order and do not overlap. */
export function markedPieces(text: string, marks: readonly Mark[], paint: (mark: Mark) => { words: Piece["paint"]; rest: Piece["paint"] }): Piece[] {
  const shown = printable(text);
  const pieces: Piece[] = [];
  let from = 0;
  const add = (part: string, painter: Piece["paint"]): void => {
    if (part !== "") pieces.push(painter === undefined ? { text: part } : { text: part, paint: painter });
  };
  for (const mark of marks) {
    const { words, rest } = paint(mark);
    add(shown.slice(from, mark.start), undefined);
    add("[", rest);
    add(shown.slice(mark.start, mark.end), words);
    add(`|${printable(mark.label)}]`, rest);
    from = mark.end;
  }
  add(shown.slice(from), undefined);
  return pieces;
}

/** Columns, taking one a code point: wide characters and combining marks are not looked up. */
export function columns(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Sets pieces in lines of at most `width` columns, broken at spaces; a single longer word has a line of its own. */
export function wrap(pieces: readonly Piece[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of words(pieces)) {
    const length = word.reduce((sum, { text }) => sum + columns(text), 0);
    if (used > 0 && used + 1 + length > width) {
      lines.push(line);
      line = "";
      used = 0;
    }
    line += (used > 0 ? " " : "") + word.map(({ text, paint }) => (paint === undefined ? text : paint(text))).join("");
    used += (used > 0 ? 1 : 0) + length;
  }
  if (used > 0) lines.push(line);
  return lines;
}

/** Pieces between two spaces stand together, whatever their paint. */
function words(pieces: readonly Piece[]): Piece[][] {
  const found: Piece[][] = [];
  let open: Piece[] = [];
  for (const piece of pieces) {
    const [first, ...others] = piece.text.split(/\s+/) as [string, ...string[]];
    if (first !== "") open.push({ ...piece, text: first });
    for (const text of others) {
      if (open.length > 0) found.push(open);
      open = text === "" ? [] : [{ ...piece, text }];
    }
  }
  if (open.length > 0) found.push(open);
  return found;
}

/** UTF-16 lengths of the pieces of a vocabulary, ascending, by the unit they begin with: no other slice of a text is looked up. */
export type PieceLengths = ReadonlyMap<number, readonly number[]>;

const NONE: readonly number[] = [];

export function pieceLengths(pieces: Iterable<string>): PieceLengths {
  const found = new Map<number, Set<number>>();
  for (const piece of pieces) {
    const unit = piece.charCodeAt(0);
    const lengths = found.get(unit);
    if (lengths === undefined) found.set(unit, new Set([piece.length]));
    else lengths.add(piece.length);
  }
  return new Map(Array.from(found, ([unit, lengths]) => [unit, [...lengths].sort((a, b) => a - b)]));
}

/** Lengths of the pieces that could be at unit `at` of a text. */
export function lengthsAt(lengths: PieceLengths, text: string, at: number): readonly number[] {
  return lengths.get(text.charCodeAt(at)) ?? NONE;
}

/**
 * Where a tag stands in its entity: `B` begins one, `I` is inside (or begins one when none of its type is open),
 * `E` ends one, `S` is an entity by itself.
 */
export type TagPosition = "B" | "I" | "E" | "S";

export interface Tag {
  readonly position: TagPosition;
  /** The entity type: the label without its prefix. */
  readonly type: string;
}

/** The labels of a token-classification head, in the order of its classes, and how each one is read. */
export interface TagScheme {
  readonly labels: readonly string[];
  readonly tags: readonly Tag[];
}

/** BILOU's L (last) and U (unit) are IOBES's E (end) and S (single) under other letters. */
const POSITION_OF_LETTER: ReadonlyMap<string, TagPosition> = new Map([
  ["B", "B"],
  ["I", "I"],
  ["E", "E"],
  ["L", "E"],
  ["S", "S"],
  ["U", "S"],
]);

/** Splits `B-PER` into its position and type, `null` for a tag without a known prefix. The type may hold further hyphens. */
export function splitTag(tag: string): Tag | null {
  if (tag[1] !== "-") return null;
  const position = POSITION_OF_LETTER.get(tag[0]!);
  return position === undefined ? null : { position, type: tag.slice(2) };
}

/**
 * Reads the labels of a head. Made once for an adapter and used for every text.
 *
 * - `B-X` and `I-X` are always prefixes. Both BIO forms fit: in BIO (IOB2) every entity begins with B, in IOB1 B only
 *   parts two neighbours of one type, and an `I-X` with nothing of type X before it begins an entity in either.
 * - `E-X`, `S-X`, `L-X`, `U-X` (IOBES, BILOU) are prefixes only when `B-X` or `I-X` is a label too: so that the plain
 *   labels "E-mail" and "S-Bahn" keep their names.
 * - Any other label, `O` among them, is its own type, and a run of it is one entity, as in a label set without prefixes.
 */
export function tagScheme(labels: readonly string[]): TagScheme {
  const known = new Set(labels);
  const tags = labels.map((label): Tag => {
    const tag = splitTag(label);
    if (tag === null) return { position: "I", type: label };
    // Always so for B-X and I-X themselves.
    if (known.has(`B-${tag.type}`) || known.has(`I-${tag.type}`)) return tag;
    return { position: "I", type: label };
  });
  return { labels: [...labels], tags };
}

/** Whether a tag goes on with the entity before it. `open` is the type of that entity while it may still grow. */
export function continuesEntity(tag: Tag, open: string | null): boolean {
  return tag.type === open && (tag.position === "I" || tag.position === "E");
}

/** Whether the entity of this tag may grow further. */
export function leavesOpen(tag: Tag): boolean {
  return tag.position === "B" || tag.position === "I";
}

import { RootstockError } from "../errors.ts";
import { MAX_LABELS } from "../limits.ts";
import type { TrainingKind } from "./types.ts";

/** The classes of a head, and names beyond them that only dev has. */
export interface Classes {
  /** In the order of the head. */
  readonly labels: readonly string[];
  /** `labels`, then those that dev alone has. */
  readonly names: readonly string[];
  /** From the numbers of the book to indices of `names`. */
  readonly indexOf: Int32Array;
}

/** Of entities, each of which has two tags beside O. */
const MOST = MAX_LABELS / 2 - 1;

/**
 * Numbers for labels while rows are read and nobody knows yet how many there will be: of a text label its place, of a tag 0 for O, 2n + 1
 * for B and 2n + 2 for I of the n-th entity.
 */
export class LabelBook {
  readonly #numbers = new Map<string, number>();

  /** @throws RootstockError `limit-exceeded`. */
  number(label: string): number {
    const known = this.#numbers.get(label);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number >= MOST) throw new RootstockError("limit-exceeded", `the data has more than ${MOST} labels, the most that are read.`);
    this.#numbers.set(label, number);
    return number;
  }

  /** In the order of UTF-16 units, which is the same under every locale. */
  get labels(): string[] {
    return [...this.#numbers.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  classes(kind: TrainingKind, labels: readonly string[]): Classes {
    const places = new Map(labels.map((label, index) => [label, index]));
    const names = [...labels];
    const indexOf = headLabels(kind, [...this.#numbers.keys()]).map((name) => places.get(name) ?? names.push(name) - 1);
    return { labels, names, indexOf: Int32Array.from(indexOf) };
  }
}

/** The labels of a head for these entities or text labels, in the order of its classes. */
export function headLabels(kind: TrainingKind, labels: readonly string[]): string[] {
  return kind === "ner" ? ["O", ...labels.flatMap((label) => [`B-${label}`, `I-${label}`])] : [...labels];
}

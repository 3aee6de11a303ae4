/** Longest word that is kept, UTF-16 units: longer ones (links, hostile runs) rarely come back. */
const MAX_CACHED_UNITS = 48;

/**
 * A bounded cache of words in two generations: a full young one becomes the old one and the old one is dropped; a hit in
 * the old one is carried over. Bounded in count and in key length, and cheaper per hit than exact least-recently-used
 * order, which moves an entry on every read.
 */
export class WordCache<T> {
  readonly #generationSize: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** @param capacity most words kept; below 2 keeps none. */
  constructor(capacity: number) {
    this.#generationSize = Math.floor(capacity / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(word: string): T | undefined {
    const young = this.#young.get(word);
    if (young !== undefined) return young;
    const old = this.#old.get(word);
    if (old !== undefined) {
      this.#old.delete(word);
      this.#insert(word, old);
    }
    return old;
  }

  set(word: string, value: T): void {
    if (word.length > MAX_CACHED_UNITS || this.#generationSize === 0) return;
    this.#insert(flatCopy(word), value);
  }

  #insert(word: string, value: T): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(word, value);
  }
}

/** A slice of 13 or more units keeps its whole parent alive in V8: a cached word could hold a megabyte of text. */
function flatCopy(word: string): string {
  if (word.length < 13) return word;
  const units: number[] = [];
  for (let i = 0; i < word.length; i++) units.push(word.charCodeAt(i));
  return String.fromCharCode(...units);
}

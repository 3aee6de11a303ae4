/** What did not keep training from going on: said once a kind, with how often and where it was first. */
export class Warnings {
  readonly #found = new Map<string, { count: number; readonly first: string }>();

  /** @param what "rows are longer than 256 tokens and were cut" @param where "row 17" */
  add(what: string, where: string): void {
    const known = this.#found.get(what);
    if (known === undefined) this.#found.set(what, { count: 1, first: where });
    else known.count++;
  }

  /** "train: 3 rows are longer than 256 tokens and were cut (first: row 17)" */
  list(set: string): string[] {
    return [...this.#found].map(([what, { count, first }]) => `${set}: ${count} ${what} (first: ${first}).`);
  }
}

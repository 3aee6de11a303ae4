import { statSync } from "node:fs";

/** How much of a file has been read. */
export class ByteProgress {
  readonly #total: number | null;
  #done = 0;

  constructor(path: string) {
    const stat = path === "-" ? undefined : statSync(path, { throwIfNoEntry: false });
    this.#total = stat?.isFile() && stat.size > 0 ? stat.size : null;
  }

  readonly add = (bytes: number): void => {
    this.#done += bytes;
  };

  fraction(): number | null {
    return this.#total === null ? null : Math.min(1, this.#done / this.#total);
  }
}

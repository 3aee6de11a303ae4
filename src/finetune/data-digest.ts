import { canHash, sha256 } from "../load/byte-reader.ts";

/** UTF-16 units that are hashed at once. */
const PIECE_UNITS = 1 << 20;

/** SHA-256 of one value's JSON: "sha256:…"; null where the host cannot hash. */
export function digestOfValue(value: unknown): Promise<string | null> {
  const digest = new DataDigest();
  digest.add(value);
  return digest.finish();
}

/**
 * SHA-256 of rows as they were understood: over the hexadecimal SHA-256 of each piece of about a megabyte of JSON lines. Two files with the
 * same rows have the same digest, however they are written.
 */
export class DataDigest {
  #lines: string[] = [];
  #units = 0;
  readonly #pieces: Promise<string>[] = [];

  add(row: unknown): void {
    const line = `${JSON.stringify(row)}\n`;
    this.#lines.push(line);
    this.#units += line.length;
    if (this.#units >= PIECE_UNITS) this.#close();
  }

  /** "sha256:…"; null where the host cannot hash (pages without a secure context). */
  async finish(): Promise<string | null> {
    if (!canHash()) return null;
    this.#close();
    return `sha256:${await sha256(new TextEncoder().encode((await Promise.all(this.#pieces)).join("")))}`;
  }

  #close(): void {
    if (canHash()) this.#pieces.push(sha256(new TextEncoder().encode(this.#lines.join(""))));
    this.#lines = [];
    this.#units = 0;
  }
}

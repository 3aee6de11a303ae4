import { RootstockError } from "../index.ts";

/** What stands for bytes that are no UTF-8, and is a character of its own as well. */
const REPLACEMENT = "\ufffd";

/**
 * Text of a file's bytes, which come in pieces. Bytes that are no UTF-8 become U+FFFD; once there were some, every line with that character is
 * taken for one of them, since the two cannot be told apart behind the decoder.
 */
export class Utf8Text {
  readonly #where: string;
  readonly #decoder = new TextDecoder(); // takes a byte order mark away
  readonly #strict = new TextDecoder("utf-8", { fatal: true });
  #isFirst = true;
  #isDamaged = false;

  /** @param where the input, for messages */
  constructor(where: string) {
    this.#where = where;
  }

  /** @param bytes the next ones; undefined at the end @throws RootstockError `source-unreadable` for UTF-16, by its byte order mark */
  decode(bytes?: Uint8Array): string {
    if (this.#isFirst && bytes !== undefined && bytes.length > 1) {
      this.#isFirst = false;
      if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) throw new RootstockError("source-unreadable", `${this.#where} is UTF-16, and UTF-8 is read. Save it as UTF-8.`);
    }
    const stream = bytes !== undefined;
    if (!this.#isDamaged) {
      try {
        this.#strict.decode(bytes, { stream });
      } catch {
        this.#isDamaged = true;
      }
    }
    return this.#decoder.decode(bytes, { stream });
  }

  /** Were some of a line's bytes no UTF-8? To be asked once all of it was decoded. */
  isBroken(line: string): boolean {
    return this.#isDamaged && line.includes(REPLACEMENT);
  }
}

/** For a line whose bytes are no UTF-8. */
export function notUtf8(where: string): RootstockError {
  return new RootstockError("source-unreadable", `${where} has bytes that are not UTF-8. Save the file as UTF-8.`);
}

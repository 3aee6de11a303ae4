import { MAX_LINE_UNITS } from "../read-lines.ts";

/** A record of a CSV file, not yet parted into fields. */
export interface CsvRecord {
  /** Line where it begins, from 1. */
  readonly line: number;
  /** Without its line end. */
  readonly text: string;
  /** The record is longer than the limit, and its text was left out. */
  readonly tooLong?: true;
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;

/** Where in a record the last character was; "closed" is behind a quote, which a second quote opens again. */
type State = "start" | "plain" | "quoted" | "closed";

/**
 * Finds where the records of a CSV file end: at each line end that is not inside a quoted field. A quote that is never
 * closed would take the rest of the file with it; then the line where it stands is a record alone, and the search goes on
 * behind it. Blank lines are left out.
 */
export class CsvRecords {
  readonly #delimiter: number;
  readonly #maxUnits: number;
  #text = ""; // from the beginning of the open record on
  #at = 0; // how far #text has been looked at
  #line = 1; // where #text begins
  #state: State = "start";
  #skipping = false; // the rest of a line that is too long

  constructor(delimiter: string, maxUnits = MAX_LINE_UNITS) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxUnits = maxUnits;
  }

  /** The records that end in this piece of the file. */
  push(text: string): CsvRecord[] {
    const found: CsvRecord[] = [];
    this.#text += this.#skipping ? this.#afterLine(text) : text;
    this.#scan(found);
    while (this.#text.length > this.#maxUnits) {
      this.#giveUp(found);
      this.#scan(found);
    }
    return found;
  }

  /** The records that are left at the end of the file. */
  end(): CsvRecord[] {
    const found: CsvRecord[] = [];
    while (this.#state === "quoted") {
      this.#giveUp(found);
      this.#scan(found);
    }
    this.#record(found, this.#text);
    return found;
  }

  #scan(found: CsvRecord[]): void {
    let begin = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at);
      if (this.#state === "quoted") {
        if (unit === QUOTE) this.#state = "closed";
      } else if (unit === NEWLINE) {
        this.#record(found, this.#text.slice(begin, at));
        this.#line++;
        begin = at + 1;
        this.#state = "start";
      } else if (unit === this.#delimiter) {
        this.#state = "start";
      } else {
        this.#state = unit === QUOTE && this.#state !== "plain" ? "quoted" : "plain";
      }
    }
    this.#text = this.#text.slice(begin);
    this.#at = this.#text.length;
  }

  /** Takes the first line of the open record for a record, and what follows is looked at once more. */
  #giveUp(found: CsvRecord[]): void {
    const newline = this.#text.indexOf("\n");
    if (newline >= 0) {
      this.#record(found, this.#text.slice(0, newline));
      this.#line++;
    } else if (this.#text.length > this.#maxUnits) {
      found.push({ line: this.#line, text: "", tooLong: true });
      this.#skipping = true;
    } else {
      this.#record(found, this.#text);
    }
    this.#text = newline < 0 ? "" : this.#text.slice(newline + 1);
    this.#at = 0;
    this.#state = "start";
  }

  #afterLine(text: string): string {
    const newline = text.indexOf("\n");
    if (newline < 0) return "";
    this.#skipping = false;
    this.#line++;
    return text.slice(newline + 1);
  }

  #record(found: CsvRecord[], raw: string): void {
    const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (!/^ *$/.test(text)) found.push({ line: this.#line, text });
    for (let at = raw.indexOf("\n"); at >= 0; at = raw.indexOf("\n", at + 1)) this.#line++;
  }
}

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
const RETURN = 0x0d;

/** Where in a record the last character was; "closed" is behind a quote, which a second quote opens again. */
type State = "start" | "plain" | "quoted" | "closed";

/**
 * Finds where the records of a CSV file end: at each line end that is not inside a quoted field. A quote that is never
 * closed would take the rest of the file with it, or all up to the next quote; then the line where it stands is a record alone, and the search goes on
 * behind it. Blank lines are left out.
 *
 * Nothing is looked at twice, however many lines are given up. All records that are inside a quoted field at one line end
 * go the same way from there, so of a line in the open record it is enough to know whether it would end inside one too, had
 * a record begun with it: if not, it is a record alone; if so, it is now where the open record is.
 */
export class CsvRecords {
  readonly #delimiter: number;
  readonly #maxUnits: number;
  #text = ""; // from the beginning of the open record on
  #at = 0; // how far #text has been looked at
  #line = 1; // where #text begins
  #state: State = "start"; // of the open record
  #lineState: State = "start"; // what it would be, had the record begun with its last line
  #endsQuoted: boolean[] = []; // by whole line, whether the line taken alone ends inside a quoted field
  #firstLine = 0; // where in that list the open record begins
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
    while (this.#text.length > this.#maxUnits) this.#giveUp(found);
    return found;
  }

  /** The records that are left at the end of the file. */
  end(): CsvRecord[] {
    const found: CsvRecord[] = [];
    while (this.#state === "quoted") this.#giveUp(found);
    this.#record(found, this.#text);
    return found;
  }

  #scan(found: CsvRecord[]): void {
    let begin = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at);
      if (unit !== NEWLINE) {
        if (this.#state === "closed" && this.#isMisclosedBy(unit)) begin = this.#breakAtLines(found, begin, at);
        const isOne = this.#lineState === this.#state;
        this.#state = this.#after(this.#state, unit);
        this.#lineState = isOne ? this.#state : this.#after(this.#lineState, unit);
      } else if (this.#state === "quoted") {
        this.#endsQuoted.push(this.#lineState === "quoted");
        this.#lineState = "start";
      } else {
        this.#record(found, this.#text.slice(begin, at));
        this.#line++;
        begin = at + 1;
        this.#begin("start");
      }
    }
    this.#keepFrom(begin);
  }

  /** Does more than a field's end stand behind a quote that closes what an earlier line opened? */
  #isMisclosedBy(unit: number): boolean {
    return this.#endsQuoted.length > this.#firstLine && unit !== RETURN && this.#after("closed", unit) === "plain";
  }

  /**
   * A quote that closes an earlier line's, with more behind it, was not meant to: the other is never closed. Each whole line of the open record is a
   * record alone, and so are those that were inside it, which go the same way from here; the line at `at` begins another.
   * @returns where that line begins
   */
  #breakAtLines(found: CsvRecord[], begin: number, at: number): number {
    const last = this.#text.lastIndexOf("\n", at) + 1;
    for (const line of this.#text.slice(begin, last - 1).split("\n")) {
      this.#record(found, line);
      this.#line++;
    }
    this.#begin(this.#lineState);
    return last;
  }

  #after(state: State, unit: number): State {
    if (state === "quoted") return unit === QUOTE ? "closed" : "quoted";
    if (unit === this.#delimiter) return "start";
    return unit === QUOTE && state !== "plain" ? "quoted" : "plain";
  }

  #begin(state: State): void {
    this.#state = this.#lineState = state;
    this.#endsQuoted = [];
    this.#firstLine = 0;
  }

  #keepFrom(begin: number): void {
    this.#text = this.#text.slice(begin);
    this.#at = this.#text.length;
  }

  /** Takes the first line of the open record for a record, and the lines behind it that are records alone. */
  #giveUp(found: CsvRecord[]): void {
    if (this.#endsQuoted.length === 0) return this.#giveUpLine(found);
    let begin = 0;
    do {
      const newline = this.#text.indexOf("\n", begin);
      this.#record(found, this.#text.slice(begin, newline));
      this.#line++;
      begin = newline + 1;
    } while (this.#endsQuoted[++this.#firstLine] === false);
    if (this.#firstLine === this.#endsQuoted.length) this.#begin(this.#lineState);
    else if (2 * this.#firstLine > this.#endsQuoted.length) {
      this.#endsQuoted = this.#endsQuoted.slice(this.#firstLine);
      this.#firstLine = 0;
    }
    this.#keepFrom(begin);
  }

  /** The open record is one line whose end is not there. */
  #giveUpLine(found: CsvRecord[]): void {
    if (this.#text.length > this.#maxUnits) {
      found.push({ line: this.#line, text: "", tooLong: true });
      this.#skipping = true;
    } else {
      this.#record(found, this.#text);
    }
    this.#keepFrom(this.#text.length);
    this.#begin("start");
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

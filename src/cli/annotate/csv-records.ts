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
  #text = ""; // from the beginning of the open record on, and while it is looked at what is before that as well
  #begin = 0; // where in #text the open record begins
  #line = 1; // where the open record begins
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
    const seen = this.#text.length;
    this.#text += text;
    this.#scan(found, seen);
    this.#text = this.#text.slice(this.#begin);
    this.#begin = 0;
    return found;
  }

  /** The records that are left at the end of the file. */
  end(): CsvRecord[] {
    const found: CsvRecord[] = [];
    while (this.#state === "quoted") this.#giveUp(found, this.#text.length);
    this.#record(found, this.#text.slice(this.#begin));
    return found;
  }

  #scan(found: CsvRecord[], from: number): void {
    for (let at = from; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at);
      if (this.#skipping) {
        this.#skip(unit, at);
        continue;
      }
      if (unit !== NEWLINE) {
        if (this.#state === "closed" && this.#isMisclosedBy(unit)) this.#breakAtLines(found, at);
        const isOne = this.#lineState === this.#state;
        this.#state = this.#after(this.#state, unit);
        this.#lineState = isOne ? this.#state : this.#after(this.#lineState, unit);
      } else if (this.#state === "quoted") {
        this.#endsQuoted.push(this.#lineState === "quoted");
        this.#lineState = "start";
      } else {
        this.#record(found, this.#text.slice(this.#begin, at));
        this.#line++;
        this.#open(at + 1, "start");
      }
      // Here and not once the text is looked at: what is given up must not depend on where pieces of the file end.
      while (at + 1 - this.#begin > this.#maxUnits) this.#giveUp(found, at + 1);
    }
  }

  #skip(unit: number, at: number): void {
    this.#begin = at + 1;
    if (unit !== NEWLINE) return;
    this.#skipping = false;
    this.#line++;
  }

  /** Does more than a field's end stand behind a quote that closes what an earlier line opened? */
  #isMisclosedBy(unit: number): boolean {
    return this.#endsQuoted.length > this.#firstLine && unit !== RETURN && this.#after("closed", unit) === "plain";
  }

  /**
   * A quote that closes an earlier line's, with more behind it, was not meant to: the other is never closed. Each whole line of the open record is a
   * record alone, and so are those that were inside it, which go the same way from here; the line at `at` begins another.
   */
  #breakAtLines(found: CsvRecord[], at: number): void {
    const last = this.#text.lastIndexOf("\n", at) + 1;
    for (const line of this.#text.slice(this.#begin, last - 1).split("\n")) {
      this.#record(found, line);
      this.#line++;
    }
    this.#open(last, this.#lineState);
  }

  #after(state: State, unit: number): State {
    if (state === "quoted") return unit === QUOTE ? "closed" : "quoted";
    if (unit === this.#delimiter) return "start";
    return unit === QUOTE && state !== "plain" ? "quoted" : "plain";
  }

  #open(begin: number, state: State): void {
    this.#begin = begin;
    this.#state = this.#lineState = state;
    this.#endsQuoted = [];
    this.#firstLine = 0;
  }

  /** Takes the first line of the open record, which was looked at up to `end`, for a record, and the lines behind it that are records alone. */
  #giveUp(found: CsvRecord[], end: number): void {
    if (this.#endsQuoted.length === 0) return this.#giveUpLine(found, end);
    do {
      const newline = this.#text.indexOf("\n", this.#begin);
      this.#record(found, this.#text.slice(this.#begin, newline));
      this.#line++;
      this.#begin = newline + 1;
    } while (this.#endsQuoted[++this.#firstLine] === false);
    if (this.#firstLine === this.#endsQuoted.length) this.#open(this.#begin, this.#lineState);
    else if (2 * this.#firstLine > this.#endsQuoted.length) {
      this.#endsQuoted = this.#endsQuoted.slice(this.#firstLine);
      this.#firstLine = 0;
    }
  }

  /** The open record is one line whose end is not there. */
  #giveUpLine(found: CsvRecord[], end: number): void {
    if (end - this.#begin > this.#maxUnits) {
      found.push({ line: this.#line, text: "", tooLong: true });
      this.#skipping = true;
    } else {
      this.#record(found, this.#text.slice(this.#begin, end));
    }
    this.#open(end, "start");
  }

  #record(found: CsvRecord[], raw: string): void {
    const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (!/^ *$/.test(text)) found.push({ line: this.#line, text });
    for (let at = raw.indexOf("\n"); at >= 0; at = raw.indexOf("\n", at + 1)) this.#line++;
  }
}

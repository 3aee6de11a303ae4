import type { CommandDef } from "citty";
import type { Style } from "./print-style.ts";

/** What every command gets besides its arguments. */
export interface Session {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Values of an option that may be repeated, in order. */
  values(option: string): readonly string[];
  /** Writes results to standard output and waits while its reader is behind. */
  write(text: string): Promise<void>;
  /** Writes one line for people to standard error. */
  note(line: string): void;
  /** Shows how far a long step is, in place, where standard error is a terminal; otherwise nothing. */
  progress(text: string | null): void;
  /** Colours of standard output: none unless it is a terminal. */
  readonly style: Style;
  /** Columns of standard output, 80 where it is no terminal. */
  readonly width: number;
}

export interface Command {
  // citty infers argument types per definition; the table of commands holds them all, so it cannot keep them apart.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly definition: CommandDef<any>;
  /** Options that may be given more than once. */
  readonly repeatable?: readonly string[];
  /** Takes any number of positional arguments, not only those it names. */
  readonly variadic?: boolean;
}

import { describe, RootstockError } from "../errors.ts";
import { ownOptions } from "../own-options.ts";
import { copyList } from "../runtime/copies.ts";
import { checkStrings, type RunOptions } from "../runtime/options.ts";

/** What calls of every pipeline take beside transformers.js's own options. */
export interface CallOptions {
  /** A text of more tokens than the encoder reads: leave its end out (default), refuse it, or read it in windows (default with `stride`). */
  readonly overflow?: RunOptions["overflow"] | undefined;
  /** Tokens that two windows share. Default a quarter of a window. */
  readonly stride?: number | undefined;
  /** Ends the call, within 8 ms of work; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Refuses options of other names: one that is misspelt would change nothing and say nothing. */
export function checkNames(options: object, known: readonly string[], where: string): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) throw new RootstockError("argument-invalid", `the options of ${where} must be an object.`);
  for (const [name, value] of Object.entries(options)) {
    if (value == null || known.includes(name)) continue;
    throw new RootstockError("argument-invalid", `${where} has no option "${name}"; it has ${known.join(", ")}.`);
  }
}

/** @throws RootstockError `argument-invalid` for what is neither true nor false: `1` and `"false"` would be taken for either. */
export function checkFlag(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw new RootstockError("argument-invalid", `${name} is ${describe(value)}; give true or false.`);
}

/** A call's texts as a list of its own: they are read again when it goes on, and its caller may have changed theirs. @throws RootstockError `argument-invalid`. */
export function textList(texts: string | readonly string[]): readonly string[] {
  if (typeof texts === "string") return [texts];
  const own = copyList(texts);
  checkStrings(own, "a pipeline's input, where it is not one string,");
  return own;
}

/**
 * A call's signal, where one is given: a call that waits for its place listens to it before the encoder has seen it.
 * @throws RootstockError `argument-invalid` for what is no signal.
 */
export function signalOption(signal: AbortSignal | null | undefined): { signal?: AbortSignal | undefined } {
  return ownOptions({ signal: signal ?? undefined }, { signal: "signal" });
}

/** Too long texts are cut, as transformers.js cuts them, unless the call says otherwise. What is null is not given, as in transformers.js. */
export function lengthOptions({ overflow, stride, signal }: CallOptions): Pick<RunOptions, "overflow" | "stride" | "signal"> {
  return {
    overflow: overflow ?? (stride == null ? "truncate" : "windows"),
    ...(stride == null ? {} : { stride }),
    ...signalOption(signal),
  };
}

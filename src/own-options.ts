import { describe, RootstockError } from "./errors.ts";

/**
 * What an option must be. "" leaves that to the call, as do "ids", a list that is read at once and may be too long to copy, and "own", which is for
 * callers of ours.
 */
type Kind = "" | "ids" | "own" | keyof typeof WANTED;

/** Every option of a call, and its kind. */
export type OptionKinds<Options> = { readonly [Name in keyof Required<Options>]: Kind };

const WANTED = {
  boolean: "true or false",
  function: "a function",
  signal: "an AbortSignal: a controller's is its .signal",
};

/**
 * The border of every call: a copy of its options, each read once, with copies of the lists in them. A name that is not in `kinds` is refused, for a
 * misspelt option would change nothing and say nothing. null is "not given" where a kind is asked for.
 * @throws RootstockError `argument-invalid`.
 */
export function ownOptions<Options extends object>(given: Options, kinds: OptionKinds<Options>): Options {
  if (typeof given !== "object" || given === null) throw invalid(`the options are ${describe(given)}; give an object.`);
  const options = given as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(kinds, name) || options[name] === undefined) continue;
    throw invalid(`there is no option ${describe(name)} here, only ${namesOf(kinds).join(", ")}.`);
  }
  const own: Record<string, unknown> = {};
  // Those that are inherited, too.
  for (const name in kinds) {
    const value = options[name];
    const kind: Kind = kinds[name];
    if (value === undefined || (value === null && kind in WANTED)) continue;
    if (kind in WANTED && (kind === "signal" ? !isSignal(value as Partial<AbortSignal>) : typeof value !== kind)) {
      throw invalid(`${name} is ${describe(value)}; give ${WANTED[kind as keyof typeof WANTED]}.`);
    }
    own[name] = Array.isArray(value) && kind !== "ids" ? [...(value as unknown[])] : value;
  }
  return own as Options;
}

/** By what is asked of it: it may be of another realm, or a polyfill's. */
function isSignal(value: Partial<AbortSignal>): boolean {
  return (["throwIfAborted", "addEventListener", "removeEventListener"] as const).every((name) => typeof value[name] === "function");
}

function namesOf(kinds: Readonly<Record<string, Kind>>): string[] {
  return Object.keys(kinds).filter((name) => kinds[name] !== "own");
}

function invalid(message: string): RootstockError {
  return new RootstockError("argument-invalid", message);
}

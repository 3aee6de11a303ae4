/**
 * Every way Rootstock says no. The list is closed, and callers may `switch` on it.
 * A new code needs a test that produces it and a message that says what to do.
 */
export type ErrorCode =
  // files
  | "source-missing" // a file of a model or adapter folder is not there
  | "source-unreadable" // it is there but reading it failed (permissions, HTTP status, network)
  | "source-truncated" // fewer or more bytes than the file itself or its manifest says
  | "digest-mismatch" // bytes differ from the SHA-256 in rootstock.json
  | "not-a-model" // the bytes are not of the format at all (HTML page, LFS pointer, pickle)
  | "json-invalid" // not JSON, or JSON of the wrong shape
  | "header-invalid" // a safetensors header that breaks the format's rules
  | "limit-exceeded" // a cap of limits.ts; the message names it
  | "tensor-missing" // a tensor that the configuration calls for
  | "tensor-unexpected" // a tensor that nothing in the configuration accounts for
  | "tensor-shape" // a tensor of another shape than the configuration says
  | "tensor-dtype" // a dtype other than F32, F16, BF16 (or the converted form's own)
  | "tensor-value" // NaN, infinity, or a converted weight out of range; weights whose results overflow float32
  | "config-invalid" // config.json: a field is missing, of the wrong type or out of range
  | "family-unsupported" // config.json: a model_type that is not read
  | "format-version" // rootstock.json of a newer format
  // adapters
  | "adapter-unsupported" // a PEFT type or field that is refused, by name
  | "adapter-mismatch" // an adapter for another encoder: sizes, layers or fingerprint
  | "labels-mismatch" // number or names of the labels against the head
  | "data-invalid" // a row of training data; the message names it
  | "training-diverged" // a loss or gradient that is no finite number
  | "checkpoint-invalid" // a checkpoint that cannot be read, or is of another run
  | "task-unknown" // a task name that was never added
  | "task-exists" // a task name that is taken
  | "task-invalid" // a task name of the wrong form
  | "no-memory-left" // the adapter budget or the linear memory is used up, or the engine gives none
  | "target-unwritable" // a folder that could not be written
  // text
  | "text-empty"
  | "text-too-long"
  | "tokenizer-invalid" // tokenizer.json is of a kind that is not read
  | "ids-invalid" // input ids outside the vocabulary, or none
  // use
  | "argument-invalid" // an argument of the wrong type or out of range
  | "queue-full" // more calls are under way than the encoder takes
  | "disposed" // the encoder was disposed
  | "worker-lost" // a worker of a pool, or a peer of training, ended before its work was done
  | "simd-unsupported" // the engine cannot run WebAssembly SIMD
  | "engine-fault"; // a kernel trapped or failed its self-test in every form

/** What would break a line or steer a terminal: controls, line separators, what turns the direction of text, halves of surrogate pairs. */
export const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\p{Surrogate}]/gu;

/** Messages quote names and values of strangers' files, so each is made one printable line. */
function printable(message: string): string {
  return message.replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A string for a message: quoted, control characters escaped, cut at 80 units. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** Any value for a message, whatever it is. */
export function describe(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "an object";
  return `a ${typeof value}`;
}

/** The one error class. `message` is one line that says what was wrong, where, and what to do; `code` is for programs. */
export class RootstockError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(printable(message), options);
    this.name = "RootstockError";
    this.code = code;
  }
}

/** The same error with its place in front of the message; what is not a `RootstockError` stays as it is. */
export function located(error: unknown, where: string): unknown {
  if (!(error instanceof RootstockError)) return error;
  return new RootstockError(error.code, `${where}: ${error.message}`, { cause: error });
}

import { RootstockError, type ErrorCode } from "./errors.ts";

/** An error as it crosses the border: structured cloning drops `code` and the class of our own errors. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | number | undefined;
  readonly cause: PackedError | undefined;
}

/** Causes of causes: ours are two deep; a cycle must end. */
const MAX_CAUSES = 8;

const OWN_KINDS = new Map<string, new (message: string, options?: ErrorOptions) => Error>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, WebAssembly.RuntimeError, WebAssembly.CompileError, WebAssembly.LinkError].map(
    (kind) => [kind.prototype.name, kind],
  ),
);

export function packError(error: unknown, depth = 0): PackedError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined, code: undefined, cause: undefined };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    name: String(name),
    message: String(message),
    stack,
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    cause: cause == null || depth === MAX_CAUSES ? undefined : packError(cause, depth + 1),
  };
}

/** The same class, message, code, stack and causes. */
export function unpackError(packed: PackedError): Error {
  const error = bare(packed);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}

function bare({ name, message, code, cause }: PackedError): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) };
  if (name === "RootstockError") return new RootstockError(code as ErrorCode, message, options);
  // Its `code` is a number that follows from the name.
  if (name === "AbortError" || name === "TimeoutError") return new DOMException(message, name);
  const error = Object.assign(new (OWN_KINDS.get(name) ?? Error)(message, options), code === undefined ? {} : { code });
  if (error.name !== name) error.name = name;
  return error;
}

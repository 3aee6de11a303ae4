import { RootstockError, type ErrorCode } from "../../../src/errors.ts";

/** How strangers' bytes may end. */
export type Verdict = "accepted" | ErrorCode;

/** Codes that say what is wrong with a file or a text; the others are of wrong use, or of a fault of ours. */
const LISTED: ReadonlySet<ErrorCode> = new Set([
  "source-missing", "source-truncated", "digest-mismatch", "not-a-model", "json-invalid", "header-invalid", "limit-exceeded", "tensor-missing", "tensor-unexpected",
  "tensor-shape", "tensor-dtype", "tensor-value", "config-invalid", "family-unsupported", "format-version", "adapter-unsupported", "adapter-mismatch", "labels-mismatch",
  "no-memory-left", "text-empty", "text-too-long", "tokenizer-invalid", "data-invalid", "checkpoint-invalid", "training-diverged",
]);

const MAX_MESSAGE_UNITS = 2_000;

/**
 * The verdict on one attempt, which loads and then runs one input. Anything but acceptance and a listed code with a message that is one
 * short printable line is a defect, and thrown.
 */
export async function verdict(attempt: () => void | Promise<void>): Promise<Verdict> {
  try {
    await attempt();
    return "accepted";
  } catch (error) {
    if (!(error instanceof RootstockError)) throw error;
    if (!LISTED.has(error.code)) throw new Error(`the code ${error.code} is not one of files and texts: ${error.message}`, { cause: error });
    const { message } = error;
    if (message.length > MAX_MESSAGE_UNITS || /[\p{Cc}\u2028\u2029]|\p{Surrogate}/u.test(message)) {
      throw new Error(`the message of ${error.code} has ${message.length} units and may not be one printable line: ${JSON.stringify(message.slice(0, 300))}`, { cause: error });
    }
    return error.code;
  }
}

export function checkFinite(values: Float32Array, what: string): void {
  if (values.length === 0) throw new Error(`${what}: no values`);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new Error(`${what}: value ${at} of ${values.length} is ${values[at]}`);
}

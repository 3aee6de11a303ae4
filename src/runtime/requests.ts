import { located, RootstockError } from "../errors.ts";
import type { Encoded } from "../text/encoding.ts";
import { windowsOf, type TextWindow } from "../text/windows.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import { checkChoice, checkInteger, checkStrings, OVERFLOWS, type TextOptions, type TextRequest } from "./options.ts";
import { headOf, type Task } from "./task.ts";
import { Trunk, type TrunkContent } from "./trunk.ts";

/** A text as its tokens, and the windows that the encoder reads it in: one, unless it is too long. */
export interface EncodedText {
  /** What offsets count in: the text, or the given words joined by one space. */
  readonly text: string;
  readonly encoded: Encoded;
  readonly windows: readonly TextWindow[];
}

/** A request that has been checked; its text is not encoded yet unless it came as a trunk. */
export interface CheckedRequest {
  readonly content: string | readonly string[] | TrunkContent;
  readonly tasks: readonly Task[];
}

/** Where a part of a caller's list stands in it: a pool sends lists in parts, and errors count in the whole. */
export interface PartOptions {
  readonly part?: { readonly first: number; readonly count: number };
}

/**
 * Checks requests, all of them before any is run. Errors name the request where there is more than one.
 * @param owner stands for the encoder, whose trunks alone are taken
 */
export function checkRequests(
  requests: readonly TextRequest[],
  options: PartOptions,
  owner: object,
  taskOf: (name: string) => Task,
): CheckedRequest[] {
  if (!Array.isArray(requests)) throw new RootstockError("argument-invalid", "requests must be a list; for one text use run().");
  return (requests as readonly TextRequest[]).map((request, index) =>
    atRequest(requests, index, options, () => {
      const { content, names } = contentOf(request);
      const tasks = [...new Set(names)].map(taskOf);
      for (const task of tasks) headOf(task);
      return { content: content instanceof Trunk ? content.open(owner) : content, tasks };
    }),
  );
}

/** Names the request in what `step` throws, where there is more than one. */
export function atRequest<T>(requests: readonly unknown[], index: number, options: PartOptions, step: () => T): T {
  const { first, count } = options.part ?? { first: 0, count: requests.length };
  try {
    return step();
  } catch (error) {
    throw count > 1 ? located(error, `request ${first + index}`) : error;
  }
}

/** A request's text, words or trunk, and its tasks. @throws RootstockError `argument-invalid`. */
function contentOf(request: TextRequest): { content: string | readonly string[] | Trunk; names: readonly string[] } {
  if (typeof request !== "object" || request === null) {
    throw new RootstockError("argument-invalid", "a request is an object with text or tokens, and tasks.");
  }
  const { tasks } = request;
  // Requests often come from JSON, where null is "not given".
  const text: unknown = request.text ?? null;
  const tokens: unknown = request.tokens ?? null;
  const trunk: unknown = request.trunk ?? null;
  if (!Array.isArray(tasks)) throw new RootstockError("argument-invalid", "tasks must be a list of task names.");
  if ([text, tokens, trunk].filter((given) => given !== null).length > 1) {
    throw new RootstockError("argument-invalid", "give text, tokens or trunk, not both or all: offsets count in one of them.");
  }
  if (trunk !== null) {
    if (!(trunk instanceof Trunk)) throw new RootstockError("argument-invalid", "trunk must be what encoder.trunk() gave.");
    return { content: trunk, names: tasks };
  }
  if (tokens !== null) {
    checkStrings(tokens, "tokens");
    // Read later, when the caller may have changed it.
    return { content: [...tokens], names: tasks };
  }
  if (typeof text !== "string") throw new RootstockError("argument-invalid", "give text as a string, or tokens as a list of strings.");
  return { content: text, names: tasks };
}

/**
 * Encodes one text.
 * @throws RootstockError `text-empty`, `text-too-long`, `argument-invalid`, `source-missing` (no tokenizer.json).
 */
export function encodeText({ tokenizer, machine }: LoadedEncoder, content: string | readonly string[], options: TextOptions): EncodedText {
  if (tokenizer === null) {
    throw new RootstockError("source-missing", "the encoder folder has no tokenizer.json, so it reads ids only. Add the file and load it again.");
  }
  const { maxPositions } = machine.plan.config;
  const limit = checkInteger(options.maxTokens ?? maxPositions, "maxTokens", 3, maxPositions);
  const overflow = checkChoice(options.overflow ?? (options.stride === undefined ? "error" : "windows"), "overflow", OVERFLOWS);
  if (options.stride !== undefined && overflow !== "windows") {
    throw new RootstockError("argument-invalid", `stride is for overflow: "windows", and overflow is "${overflow}".`);
  }
  const room = limit - tokenizer.specialTokenCount;
  const stride = checkInteger(options.stride ?? Math.floor(room / 4), "stride", 0, room - 1);
  const text = typeof content === "string" ? content : content.join(" ");
  if (text.trim() === "") throw new RootstockError("text-empty", "the text is empty. Leave empty texts out.");
  const encodeOptions = overflow === "windows" ? {} : { maxTokens: limit };
  const encoded = typeof content === "string" ? tokenizer.encode(content, encodeOptions) : tokenizer.encodeWords(content, encodeOptions);
  if (encoded.truncated && overflow === "error") {
    throw new RootstockError(
      "text-too-long",
      `the text has ${encoded.tokenCount} tokens and at most ${limit} are read. Pass overflow: "windows" to read it in parts, or "truncate" to leave its end out.`,
    );
  }
  return { text, encoded, windows: windowsOf(encoded, limit, stride) };
}

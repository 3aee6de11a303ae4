import { located, RootstockError } from "../errors.ts";
import { classify } from "../heads/classify.ts";
import { decodeEntities } from "../heads/entities.ts";
import type { Encoded } from "../text/encoding.ts";
import type { TaskResult } from "./encoder.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import { checkChoice, checkInteger, checkStrings, type RunOptions, type TextRequest } from "./options.ts";
import { headOf, type Task } from "./task.ts";

/** A request that has been checked and tokenised; `ids` is what the forward pass reads. */
export interface EncodedRequest {
  readonly index: number;
  /** What offsets count in: the text, or the given words joined by one space. */
  readonly text: string;
  readonly encoded: Encoded;
  readonly ids: Int32Array;
  readonly tasks: readonly Task[];
}

/** Where a part of a caller's list stands in it: a pool sends lists in parts, and errors count in the whole. */
export interface PartOptions {
  readonly part?: { readonly first: number; readonly count: number };
}

/** Checks and tokenises requests. Errors name the request where there is more than one. */
export function encodeRequests(
  loaded: LoadedEncoder,
  requests: readonly TextRequest[],
  options: Pick<RunOptions, "maxTokens" | "overflow" | "ignoreLabels"> & PartOptions,
  taskOf: (name: string) => Task,
): EncodedRequest[] {
  if (!Array.isArray(requests)) throw new RootstockError("argument-invalid", "requests must be a list; for one text use run().");
  if (options.ignoreLabels !== undefined) checkStrings(options.ignoreLabels, "ignoreLabels");
  const { first, count } = options.part ?? { first: 0, count: requests.length };
  return (requests as readonly TextRequest[]).map((request, index) => {
    try {
      return encodeRequest(loaded, request, index, options, taskOf);
    } catch (error) {
      throw count > 1 ? located(error, `request ${first + index}`) : error;
    }
  });
}

function encodeRequest(
  loaded: LoadedEncoder,
  request: TextRequest,
  index: number,
  options: Pick<RunOptions, "maxTokens" | "overflow">,
  taskOf: (name: string) => Task,
): EncodedRequest {
  const { tokenizer, machine } = loaded;
  if (tokenizer === null) {
    throw new RootstockError("source-missing", "the encoder folder has no tokenizer.json, so it reads input ids only. Add the file and load the encoder again.");
  }
  const { maxPositions } = machine.plan.config;
  const limit = checkInteger(options.maxTokens ?? maxPositions, "maxTokens", 3, maxPositions);
  const overflow = checkChoice(options.overflow ?? "error", "overflow", ["error", "truncate"]);
  const { text, tokens, tasks } = contentOf(request);
  const found = [...new Set(tasks as readonly string[])].map(taskOf);
  for (const task of found) headOf(task);
  const whole = tokens === null ? text : tokens.join(" ");
  if (whole.trim() === "") throw new RootstockError("text-empty", "the text is empty. Leave empty texts out.");
  const encoded = tokens === null ? tokenizer.encode(text, { maxTokens: limit }) : tokenizer.encodeWords(tokens, { maxTokens: limit });
  if (encoded.truncated && overflow === "error") {
    throw new RootstockError(
      "text-too-long",
      `the text has ${encoded.tokenCount} tokens and at most ${limit} are read. Split it, or pass overflow: "truncate" to leave its end out.`,
    );
  }
  return { index, text: whole, encoded, ids: encoded.ids, tasks: found };
}

/** A request's text or words (null: a text) and its tasks. @throws RootstockError `argument-invalid`. */
function contentOf(request: TextRequest): { text: string; tokens: readonly string[] | null; tasks: readonly string[] } {
  if (typeof request !== "object" || request === null) {
    throw new RootstockError("argument-invalid", "a request is an object with text or tokens, and tasks.");
  }
  const { tasks } = request;
  // Requests often come from JSON, where null is "not given".
  const text: unknown = request.text ?? null;
  const tokens: unknown = request.tokens ?? null;
  if (!Array.isArray(tasks)) throw new RootstockError("argument-invalid", "tasks must be a list of task names.");
  if (tokens === null) {
    if (typeof text !== "string") throw new RootstockError("argument-invalid", "give text as a string, or tokens as a list of strings.");
    return { text, tokens, tasks };
  }
  if (text !== null) throw new RootstockError("argument-invalid", "give text or tokens, not both: offsets count in one of them.");
  checkStrings(tokens, "tokens");
  return { text: "", tokens, tasks };
}

/** Scores of one text (rows × classes) → its labels or spans. */
export function decode(
  task: Task,
  kind: "sequence" | "token",
  probabilities: Float32Array,
  request: EncodedRequest,
  options: RunOptions,
): TaskResult {
  if (kind === "sequence") return classify(probabilities, task.labels, { topK: options.topK === undefined ? 1 : options.topK });
  return decodeEntities({ probabilities }, request.text, request.encoded, task.scheme, {
    aggregation: options.aggregation ?? "first",
    ignoreLabels: options.ignoreLabels ?? ["O"],
    offsets: options.offsets ?? "utf16",
  });
}

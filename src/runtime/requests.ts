import { RootstockError } from "../errors.ts";
import { classify } from "../heads/classify.ts";
import { decodeEntities } from "../heads/entities.ts";
import type { Encoded } from "../text/encoding.ts";
import type { TaskResult } from "./encoder.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import { checkChoice, checkInteger, type RunOptions, type TextRequest } from "./options.ts";
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

/**
 * Checks and tokenises one request.
 * @param position of the request in its batch for messages, null for a single one
 */
export function encodeRequest(
  loaded: LoadedEncoder,
  request: TextRequest,
  options: Pick<RunOptions, "maxTokens" | "overflow">,
  taskOf: (name: string) => Task,
  position: number | null,
): EncodedRequest {
  const where = position === null ? "" : `request ${position}: `;
  const { tokenizer, machine } = loaded;
  if (tokenizer === null) {
    throw new RootstockError("source-missing", "the encoder folder has no tokenizer.json, so it reads input ids only. Add the file and load the encoder again.");
  }
  const { maxPositions } = machine.plan.config;
  const limit = checkInteger(options.maxTokens ?? maxPositions, "maxTokens", 3, maxPositions);
  const overflow = checkChoice(options.overflow ?? "error", "overflow", ["error", "truncate"]);
  const { text, tokens, tasks } = request;
  if (!Array.isArray(tasks)) throw new RootstockError("argument-invalid", `${where}tasks must be a list of task names.`);
  const found = [...new Set(tasks as readonly string[])].map(taskOf);
  for (const task of found) headOf(task);
  if (typeof text !== "string" && !(Array.isArray(tokens) && tokens.every((token) => typeof token === "string"))) {
    throw new RootstockError("argument-invalid", `${where}give text as a string, or tokens as a list of strings.`);
  }
  const whole = tokens === undefined ? text : tokens.join(" ");
  if (whole.trim() === "") throw new RootstockError("text-empty", `${where}the text is empty. Leave empty texts out.`);
  const encoded = tokens === undefined ? tokenizer.encode(text, { maxTokens: limit }) : tokenizer.encodeWords(tokens, { maxTokens: limit });
  if (encoded.truncated && overflow === "error") {
    throw new RootstockError(
      "text-too-long",
      `${where}the text has ${encoded.tokenCount} tokens and at most ${limit} are read. Split it, or pass overflow: "truncate" to leave its end out.`,
    );
  }
  return { index: position ?? 0, text: whole, encoded, ids: encoded.ids, tasks: found };
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

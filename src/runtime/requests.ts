import { located, RootstockError } from "../errors.ts";
import type { Encoded } from "../text/encoding.ts";
import { windowsOf, type TextWindow } from "../text/windows.ts";
import { copyList } from "./copies.ts";
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

/** What a request is about; a text is not encoded yet unless it came as a trunk. */
export type Content = string | readonly string[] | TrunkContent;

/** Where a part of a caller's list stands in it: a pool sends lists in parts, and errors count in the whole. */
export interface PartOptions {
  readonly part?: { readonly first: number; readonly count: number };
}

/**
 * Checks requests, all of them before any is run, and copies what is read later. Errors name the request where there is more than one.
 *
 * The event loop cannot turn meanwhile, or callers could change requests that were not read yet. So little is made of each: 0.15 µs, where a list
 * of tasks of its own took 0.8; and checking in turns what was copied before would hold the thread longer than this does, for the copies.
 * @param owner stands for the encoder, whose trunks alone are taken
 */
export function checkRequests(
  requests: readonly TextRequest[],
  options: PartOptions,
  owner: object,
  taskOf: (name: string) => Task,
): { contents: Content[]; tasks: (readonly Task[])[] } {
  if (!Array.isArray(requests)) throw new RootstockError("argument-invalid", "requests must be a list; for one text use run().");
  const list: readonly TextRequest[] = copyList(requests);
  const contents: Content[] = [];
  const tasks: (readonly Task[])[] = [];
  /** Lists so far, by their first name. */
  const known = new Map<string | undefined, readonly Task[]>();
  const tasksOf = (names: readonly string[]): readonly Task[] => {
    const seen = known.get(names[0]);
    if (seen?.length === names.length && seen.every(({ name }, at) => name === names[at])) return seen;
    const found = [...new Set(names)].map(taskOf);
    for (const task of found) headOf(task);
    known.set(found[0]?.name, found);
    return found;
  };
  // One `try` and no closures: the first long list, which no compiled code meets, takes half as long.
  let index = 0;
  try {
    for (; index < list.length; index++) {
      const { content, names } = contentOf(list[index]!);
      tasks.push(tasksOf(names));
      contents.push(content instanceof Trunk ? content.open(owner) : content);
    }
  } catch (error) {
    throw atRequest(error, index, list.length, options);
  }
  return { contents, tasks };
}

/** An error with the request in front, where there is more than one. */
export function atRequest(error: unknown, index: number, requests: number, { part }: PartOptions): unknown {
  const { first, count } = part ?? { first: 0, count: requests };
  return count > 1 ? located(error, `request ${first + index}`) : error;
}

/** A request's text, words or trunk, and its tasks: copies, each property read once. @throws RootstockError `argument-invalid`. */
function contentOf(request: TextRequest): { content: string | readonly string[] | Trunk; names: readonly string[] } {
  if (typeof request !== "object" || request === null) {
    throw new RootstockError("argument-invalid", "a request is an object with text or tokens, and tasks.");
  }
  const { tasks: names, text, tokens: given, trunk } = request;
  if (!Array.isArray(names)) throw new RootstockError("argument-invalid", "tasks must be a list of task names.");
  const tokens = copyList(given);
  // Requests often come from JSON, where null is "not given".
  if (Number(text != null) + Number(tokens != null) + Number(trunk != null) > 1) {
    throw new RootstockError("argument-invalid", "give text, tokens or trunk, not both or all: offsets count in one of them.");
  }
  if (trunk != null && !(trunk instanceof Trunk)) throw new RootstockError("argument-invalid", "trunk must be what encoder.trunk() gave.");
  if (tokens != null) checkStrings(tokens, "tokens");
  else if (trunk == null && typeof text !== "string") {
    throw new RootstockError("argument-invalid", "give text as a string, or tokens as a list of strings.");
  }
  return { content: trunk ?? tokens ?? text!, names: copyList(names) };
}

/** How texts become tokens: `TextOptions` with their defaults. */
export interface TextLimits {
  readonly limit: number;
  readonly overflow: (typeof OVERFLOWS)[number];
  readonly stride: number;
}

/** Once a call, whatever texts it has. null is "not given". @throws RootstockError `argument-invalid`. */
export function textLimits({ tokenizer, machine }: LoadedEncoder, { maxTokens, overflow: wanted, stride: shared }: TextOptions): TextLimits {
  const { maxPositions } = machine.plan.config;
  const special = tokenizer?.specialTokenCount ?? 0;
  const limit = checkInteger(maxTokens ?? maxPositions, "maxTokens", special + 1, maxPositions);
  const overflow = checkChoice(wanted ?? (shared == null ? "error" : "windows"), "overflow", OVERFLOWS);
  if (shared != null && overflow !== "windows") {
    throw new RootstockError("argument-invalid", `stride is for overflow: "windows", and overflow is "${overflow}".`);
  }
  const room = limit - special;
  return { limit, overflow, stride: checkInteger(shared ?? Math.floor(room / 4), "stride", 0, room - 1) };
}

/**
 * Encodes one text.
 * @throws RootstockError `text-empty`, `text-too-long`, `argument-invalid`, `source-missing` (no tokenizer.json).
 */
export function encodeText({ tokenizer, machine }: LoadedEncoder, content: string | readonly string[], { limit, overflow, stride }: TextLimits): EncodedText {
  if (tokenizer === null) {
    throw new RootstockError("source-missing", "the encoder folder has no tokenizer.json, so it reads ids only. Add the file and load it again.");
  }
  const { maxPositions } = machine.plan.config;
  const text = typeof content === "string" ? content : content.join(" ");
  if (text.trim() === "") throw new RootstockError("text-empty", "the text is empty. Leave empty texts out.");
  const encodeOptions = overflow === "windows" ? {} : { maxTokens: limit };
  const encoded = typeof content === "string" ? tokenizer.encode(content, encodeOptions) : tokenizer.encodeWords(content, encodeOptions);
  if (encoded.truncated && overflow === "error") {
    throw new RootstockError(
      "text-too-long",
      `the text has ${encoded.tokenCount} tokens and at most ${limit} are read${limit < maxPositions ? `, of ${maxPositions} that maxTokens could be` : ""}. Pass overflow: "truncate" to leave its end out, or "windows", where the call has it, to read it in parts.`,
    );
  }
  return { text, encoded, windows: windowsOf(encoded, limit, stride) };
}

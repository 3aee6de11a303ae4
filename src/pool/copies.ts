/** Copies of what callers give, made before a call waits for a worker: they may use theirs for the next one meanwhile. */
import { copyList } from "../runtime/copies.ts";

/** A request's fields that were given, of any kinds: a worker refuses what is wrong. */
interface RequestCopy {
  tasks: unknown;
  text?: unknown;
  tokens?: unknown;
  trunk?: unknown;
}

/**
 * What an encoder reads of requests, each property once; null for what is no object. Neighbours of the same tasks share their list, which then
 * goes to a worker once; a field that is undefined would cost as much as one that is there.
 */
export function copyRequests(requests: readonly unknown[]): { list: (RequestCopy | null)[]; names: Set<string> } {
  const names = new Set<string>();
  let last: readonly unknown[] = [];
  const shared = (given: unknown): unknown => {
    if (!Array.isArray(given)) return given;
    const tasks: readonly unknown[] = copyList(given);
    if (tasks.length === last.length && tasks.every((name, at) => name === last[at])) return last;
    for (const name of tasks) if (typeof name === "string") names.add(name);
    return (last = tasks);
  };
  const list = copyList(requests).map((request) => {
    if (typeof request !== "object" || request === null) return null;
    const { tasks, text, tokens, trunk } = request as RequestCopy;
    const own: RequestCopy = { tasks: shared(tasks) };
    if (text != null) own.text = text;
    if (tokens != null) own.tokens = copyList(tokens);
    if (trunk != null) own.trunk = trunk;
    return own;
  });
  return { list, names };
}

/**
 * Input ids or a mask, each entry read once.
 * @param most the longest list that a worker takes; of another one it is told the length, which may be any
 */
export function copyIds<T>(given: T, most: number): T {
  if (typeof given !== "object" || given === null) return given;
  const list = given as unknown as ArrayLike<unknown>;
  const { length } = list;
  const isTaken = Number.isInteger(length) && length >= 0 && length <= most;
  return (isTaken ? Array.from({ length }, (_, index) => list[index]) : { length }) as T;
}

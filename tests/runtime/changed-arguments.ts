import type { Encoder, RunOptions } from "../../src/index.ts";
import type { EncoderPool } from "../../src/pool/index.ts";
import { SEQUENCE } from "../pool/tiny.ts";

/** With the tasks of tests/pool/tiny.ts. */
type On = Encoder | EncoderPool;

/** Calls that begin, and what their caller then does with its arguments before they end. */
interface Case {
  /** @returns the call, and what changes its arguments */
  begin(on: On): { readonly call: Promise<unknown>; change(): void };
}

const TEXT = "w1 w9 w30 w4";
const OTHER = "w22 w5";
const IDS = [2, 9, 11, 30, 41, 3];
const ALL: RunOptions = { topK: null, ignoreLabels: [] };

const batch = (on: On, requests: unknown[], options: RunOptions, change: () => void): ReturnType<Case["begin"]> => ({ call: on.runBatch(requests as never, options), change });

/** Enough for many parts of a pool. */
const many = <T>(make: (text: string) => T): T[] => Array.from({ length: 60 }, (_, i) => make(Array.from({ length: 14 }, (__, j) => `w${(i * 3 + j) % 40}`).join(" ")));

export const CHANGES: Record<string, Case> = {
  "a request's text": {
    begin(on) {
      const request = { text: TEXT, tasks: ["topic", "names"] };
      return batch(on, [request], ALL, () => (request.text = OTHER));
    },
  },
  "a request's tasks": {
    begin(on) {
      const tasks = ["topic"];
      return batch(on, [{ text: TEXT, tasks }], ALL, () => tasks.splice(0, 1, "names", "unknown"));
    },
  },
  "a request's words": {
    begin(on) {
      const tokens = TEXT.split(" ");
      return batch(on, [{ tokens, tasks: ["names"] }], ALL, () => tokens.splice(1, 3, "w7", 7 as never));
    },
  },
  "one list of tasks, which all requests have": {
    begin(on) {
      const tasks = ["topic"];
      return batch(on, many((text) => ({ text, tasks })), ALL, () => (tasks[0] = "names"));
    },
  },
  "a request in the list": {
    begin(on) {
      const requests = many((text) => ({ text, tasks: ["topic"] }));
      return batch(on, requests, ALL, () => requests.fill(null as never, 1));
    },
  },
  "the list's length": {
    begin(on) {
      const requests = many((text) => ({ text, tasks: ["topic"] }));
      return batch(on, requests, ALL, () => (requests.length = 0));
    },
  },
  "options": {
    begin(on) {
      const options = { ...ALL } as { -readonly [Key in keyof RunOptions]: RunOptions[Key] };
      return batch(on, [{ text: TEXT, tasks: ["topic"] }], options, () => Object.assign(options, { topK: 1, maxTokens: 2, aggregation: "most" }));
    },
  },
  "the labels to leave out": {
    begin(on) {
      const ignoreLabels: string[] = [];
      return batch(on, [{ text: TEXT, tasks: ["names"] }], { ignoreLabels, aggregation: "none" }, () => ignoreLabels.push("L0", "L1", "L2", "L3", "L4"));
    },
  },
  "the tasks of run": {
    begin(on) {
      const tasks = ["topic"];
      return { call: on.run(TEXT, tasks), change: () => (tasks[0] = "names") };
    },
  },
  "the texts of embed": {
    begin(on) {
      const texts = many((text) => text);
      return { call: on.embed(texts, { task: "topic" }), change: () => texts.fill(OTHER) };
    },
  },
  "the options of embed": {
    begin(on) {
      const options = { task: "topic" };
      return { call: on.embed([TEXT], options), change: () => (options.task = "names") };
    },
  },
  "ids": {
    begin(on) {
      const ids = [...IDS];
      return { call: on.logits(ids, "topic"), change: () => ids.fill(5) };
    },
  },
  "ids in a buffer": {
    begin(on) {
      const ids = Int32Array.from(IDS);
      return { call: on.hiddenStates(ids, "names"), change: () => ids.fill(5) };
    },
  },
  "ids in a part of a shared buffer": {
    begin(on) {
      const ids = new Uint8Array(new SharedArrayBuffer(16), 4, IDS.length);
      ids.set(IDS);
      return { call: on.forward(ids, null), change: () => ids.fill(5) };
    },
  },
  "ids in an object": {
    begin(on) {
      const ids = { ...IDS, length: IDS.length };
      return { call: on.forward(ids, null), change: () => Object.assign(ids, { 1: 5, length: 3 }) };
    },
  },
  "the attention mask": {
    begin(on) {
      const attentionMask = Uint8Array.of(1, 1, 0, 1, 1, 1);
      return { call: on.logits(IDS, "topic", { attentionMask }), change: () => attentionMask.fill(1) };
    },
  },
  "the attention mask in the options": {
    begin(on) {
      const options = { attentionMask: [1, 1, 0, 1, 1, 1] };
      return { call: on.logits(IDS, "topic", options), change: () => (options.attentionMask = [1]) };
    },
  },
  "the labels of an adapter": {
    begin(on) {
      const labels = ["a", "b", "c"];
      const added = async (): Promise<unknown> => {
        await on.addAdapter("late", SEQUENCE, { labels });
        const results = await on.run(TEXT, ["late"], ALL);
        await on.removeAdapter("late");
        return results;
      };
      return { call: added(), change: () => labels.splice(0, 3, "x", "y", "z") };
    },
  },
  "the options of an adapter": {
    begin(on) {
      const options: { labels: string[]; signal?: AbortSignal } = { labels: ["a", "b", "c"] };
      const added = async (): Promise<unknown> => {
        await on.addAdapter("late", SEQUENCE, options);
        const results = await on.run(TEXT, ["late"], ALL);
        await on.removeAdapter("late");
        return results;
      };
      return { call: added(), change: () => Object.assign(options, { labels: ["x"], signal: AbortSignal.abort() }) };
    },
  },
};

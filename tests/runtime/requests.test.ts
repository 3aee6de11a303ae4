import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RootstockError, type TextRequest } from "../../src/index.ts";
import { checkRequests } from "../../src/runtime/requests.ts";
import type { Task } from "../../src/runtime/task.ts";

const TASKS = new Map(["a", "b", "c", "bare"].map((name) => [name, { name, adapter: { plan: { head: name === "bare" ? null : {} } } } as Task]));

/** Checks requests for these tasks; `asked` are the names that were looked up. */
function checked(requests: readonly TextRequest[]): { tasks: string[][]; contents: readonly unknown[]; asked: string[] } {
  const asked: string[] = [];
  const { tasks, contents } = checkRequests(requests, {}, {}, (name) => {
    asked.push(name);
    const task = TASKS.get(name);
    if (task === undefined) throw new RootstockError("task-unknown", `no ${name}`);
    return task;
  });
  return { tasks: tasks.map((list) => list.map(({ name }) => name)), contents, asked };
}

const about = (tasks: readonly string[], index: number): TextRequest => ({ text: `text ${index}`, tasks });

describe("checkRequests", () => {
  it("gives each request the tasks that it names, each once and in that order, whatever its neighbours name", () => {
    const names = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(names, { maxLength: 30 }), (lists) => {
        const { tasks, contents } = checked(lists.map(about));
        expect(tasks).toEqual(lists.map((list) => [...new Set(list)]));
        expect(contents).toEqual(lists.map((_, index) => `text ${index}`));
      }),
    );
  });

  it("looks a task up once for all requests of the same list, for the event loop cannot turn meanwhile", () => {
    for (const lists of [[["a"]], [["a", "b"]], [["a"], ["b"], ["c"]], [["a", "b"], ["c"], []]]) {
      const { asked } = checked(Array.from({ length: 10_000 }, (_, index) => about(lists[index % lists.length]!, index)));
      expect(asked).toEqual(lists.flat());
    }
  });

  it("names the first request that is wrong, and what is wrong with it first", () => {
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [null, /a request is an object/],
      [{ text: "t", tokens: ["t"] }, /tasks must be a list/],
      [{ text: "t", tokens: ["t"], tasks: ["unknown"] }, /not both/],
      [{ trunk: {}, tasks: ["unknown"] }, /trunk must be/],
      [{ tokens: ["t", 7], tasks: ["unknown"] }, /tokens must be/],
      [{ text: 7, tasks: ["unknown"] }, /text as a string/],
      [{ text: "t", tasks: ["bare", "unknown"] }, /no unknown/],
      [{ text: "t", tasks: ["a", "bare"] }, /"bare" has no head/],
    ];
    for (const [first, says] of wrong) {
      for (const [second] of wrong) {
        const requests = [about(["a"], 0), about(["a", "b"], 1), first, about(["a"], 3), second] as TextRequest[];
        expect(() => checked(requests)).toThrow(says);
        expect(() => checked(requests)).toThrow(/^request 2: /);
      }
    }
  });
});

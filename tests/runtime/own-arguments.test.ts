import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Encoder, type RunOptions, type TextRequest } from "../../src/index.ts";
import { addTasks, FOLDER } from "../pool/tiny.ts";
import { CHANGES } from "./changed-arguments.ts";

const ALL: RunOptions = { topK: null, ignoreLabels: [] };

let encoder: Encoder;

beforeAll(async () => {
  encoder = await addTasks(await loadEncoder(FOLDER));
});

afterAll(() => encoder.dispose());

describe("what a caller changes while its call is under way has no effect", () => {
  it.each(Object.entries(CHANGES))("%s", async (_, { begin }) => {
    const expected = await begin(encoder).call;
    const { call, change } = begin(encoder);
    change();
    expect(await call).toEqual(expected);
  });

  it("a trunk that is disposed", async () => {
    const [whole, trunk] = [await encoder.run("w1 w9", ["topic"], ALL), await encoder.trunk("w1 w9")];
    const call = encoder.runBatch([{ trunk, tasks: ["topic"] }], ALL);
    trunk.dispose();
    expect(await call).toEqual([whole]);
  });
});

it("what info gave is its caller's: writing to it changes no result and no later info", async () => {
  const [results, info] = [await encoder.run("w1 w9", ["topic", "names"], ALL), structuredClone(encoder.info)];
  const { tasks, notes, memory } = encoder.info;
  for (const { labels } of tasks) (labels as string[]).fill("other");
  (tasks as unknown[]).length = 0;
  (notes as string[]).push("other");
  (memory as { adapterBudget: number }).adapterBudget = 0;
  expect(encoder.info).toEqual(info);
  expect(await encoder.run("w1 w9", ["topic", "names"], ALL)).toEqual(results);
});

/** Gives `first` at the first look at a property, and `later` from then on. */
function fickle<T extends object>(first: T, later: T): T {
  const looks = new Set<PropertyKey>();
  return new Proxy(first, {
    get(_, key) {
      const of = looks.has(key) ? later : first;
      // An iterator is asked for its length again and again.
      if (key !== "length") looks.add(key);
      return Reflect.get(of, key) as unknown;
    },
  });
}

it("each property is looked at once: what was checked is what is used", async () => {
  const request: TextRequest = { tokens: ["w1", "w9"], tasks: ["topic", "names"] };
  const expected = await encoder.runBatch([request, request], ALL);
  const fickleRequest = (): TextRequest =>
    fickle(
      { tokens: fickle(["w1", "w9"], [7, null] as never), tasks: fickle(["topic", "names"], [null, 7] as never) },
      { tokens: 7, tasks: 7 } as never,
    );
  const list = fickle([fickleRequest(), fickleRequest()], [null, 7] as never);
  expect(await encoder.runBatch(list, fickle({ ...ALL, ignoreLabels: fickle([] as string[], [7] as never) }, { topK: -1, ignoreLabels: 7 } as never))).toEqual(expected);
  expect(await encoder.embed(fickle(["w1", "w9"], [7, null] as never))).toEqual(await encoder.embed(["w1", "w9"]));
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Encoder, type RunOptions } from "../../src/index.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { someLabels } from "../encoder/gap.ts";
import { editJson } from "./folder.ts";
import { refuses } from "./refuses.ts";

const ADAPTER = "tests/golden/peft/adapters/bert-odd-seq";

let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadEncoder(tinyFolder("bert"));
  await encoder.addAdapter("task", ADAPTER, { labels: someLabels(3) });
});

afterAll(() => encoder.dispose());

/** What a program without types may pass. */
const batch = (requests: unknown, options?: unknown): Promise<unknown> => encoder.runBatch(requests as never, options as RunOptions | undefined);

describe("arguments of a wrong kind", () => {
  it("to embed: one text, none, numbers", async () => {
    for (const texts of ["w1 w2", null, undefined, { 0: "w1" }, ["w1", 7], [null]]) {
      await refuses(encoder.embed(texts as never), "argument-invalid", /texts must be a list of strings/);
    }
  });

  it("to runBatch: no list, no request, no text", async () => {
    for (const requests of [null, undefined, "w1", { text: "w1", tasks: [] }]) await refuses(batch(requests), "argument-invalid", /requests must be a list/);
    for (const request of [null, undefined, "w1", 7]) await refuses(batch([request]), "argument-invalid", /a request is an object/);
    for (const request of [{}, { text: 7 }, { text: null, tokens: null }]) await refuses(batch([{ ...request, tasks: [] }]), "argument-invalid", /text as a string/);
    for (const tokens of ["w1", [1], ["w1", null], {}]) await refuses(batch([{ tokens, tasks: [] }]), "argument-invalid", /tokens must be a list of strings/);
    for (const tasks of [undefined, null, "task", { 0: "task" }]) await refuses(batch([{ text: "w1", tasks }]), "argument-invalid", /tasks must be a list/);
    for (const tasks of [[7], [null], ["__proto__"], [["task"]], ["task", 7]]) await refuses(batch([{ text: "w1", tasks }]), "task-invalid", /task name/);
  });

  it("with holes, which are items that are undefined", async () => {
    // oxlint-disable no-sparse-arrays
    await refuses(batch([, { text: "w1", tasks: [] }]), "argument-invalid", /^request 0: a request is an object/);
    await refuses(batch([{ tokens: ["w1", , "w2"], tasks: [] }]), "argument-invalid", /tokens must be a list of strings/);
    await refuses(batch([{ text: "w1", tasks: ["task", ,] }]), "task-invalid", /task name/);
    await refuses(batch([{ text: "w1", tasks: [] }], { ignoreLabels: [,] }), "argument-invalid", /ignoreLabels/);
    await refuses(encoder.embed(["w1", , "w2"] as never), "argument-invalid", /texts must be a list of strings/);
    // oxlint-enable no-sparse-arrays
  });

  it("to runBatch: text and words together, which would leave it open what offsets count in", async () => {
    for (const tokens of [["w2"], "w2", []]) await refuses(batch([{ text: "w1", tokens, tasks: ["task"] }]), "argument-invalid", /not both/);
  });

  it("takes null, as JSON has it, for what is not given", async () => {
    const [expected] = (await batch([{ text: "w1 w2", tasks: ["task"] }])) as unknown[];
    expect(await batch([{ text: "w1 w2", tokens: null, tasks: ["task"] }])).toEqual([expected]);
    expect(await batch([{ text: null, tokens: ["w1", "w2"], tasks: ["task"] }])).toEqual([expected]);
  });

  it("of options", async () => {
    for (const ignoreLabels of [7, "O", [null]]) await refuses(batch([{ text: "w1", tasks: [] }], { ignoreLabels }), "argument-invalid", /ignoreLabels/);
    for (const aggregation of ["mean", "", null]) await refuses(encoder.run("w1", [], { aggregation } as never), "argument-invalid", /aggregation/);
    for (const offsets of ["bytes", "", null]) await refuses(encoder.run("w1", [], { offsets } as never), "argument-invalid", /offsets/);
    // Three tokens before a text and one after leave no room for it among four.
    const files = tinyFolder("bert");
    const tokens = (ids: readonly string[]) => ids.map((id) => ({ SpecialToken: { id, type_id: 0 } }));
    const specials = Object.fromEntries([["[CLS]", 2], ["[SEP]", 3]].map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]));
    const post_processor = { type: "TemplateProcessing", single: [...tokens(["[CLS]", "[CLS]", "[CLS]"]), { Sequence: { id: "A", type_id: 0 } }, ...tokens(["[SEP]"])], pair: [], special_tokens: specials };
    using wordy = await loadEncoder(editJson(files, "tokenizer.json", { post_processor }));
    await refuses(wordy.embed(["w1"], { maxTokens: 4 }), "argument-invalid", /^maxTokens is 4; give a whole number from 5 to/);
    expect(await wordy.embed(["w1 w2 w3"], { maxTokens: 5, overflow: "truncate" })).toHaveLength(1);
    for (const maxTokens of [2, 65, 3.5, "9"]) await refuses(encoder.run("w1", [], { maxTokens } as never), "argument-invalid", /maxTokens/);
    await refuses(encoder.run("w1", [], { overflow: "cut" } as never), "argument-invalid", /overflow/);
    for (const topK of [0, -1, 1.5, NaN, Infinity, "all"]) await refuses(encoder.run("w1", ["task"], { topK } as never), "argument-invalid", /topK/);
    for (const labels of ["abc", 7, [1, 2, 3]]) await refuses(encoder.addAdapter("other", ADAPTER, { labels } as never), "argument-invalid", /labels must be/);
    await refuses(loadEncoder(tinyFolder("bert"), { kernel: "fast" } as never), "argument-invalid", /kernel/);
  });

  it("to the calls that take ids", async () => {
    for (const length of [-1, 0, 0.5, NaN]) await refuses(encoder.forward({ length } as never, null), "ids-invalid", /input ids/);
    await refuses(encoder.forward([2, 3], null, { attentionMask: null as never }), "ids-invalid", /attention mask/);
    await refuses(encoder.forward([2, 3], null, { attentionMask: [1, 1, 1] }), "ids-invalid", /attention mask/);
    await refuses(encoder.logits([2, 3], null as never), "task-invalid", /task name/);
  });

  it("as a source: URLs that name no folder", async () => {
    for (const source of ["data:text/plain,abc", "blob:https://example.org/1", "http:", "file:///%zz", "file://h%/"]) {
      await refuses(loadEncoder(source), "argument-invalid", /URL/);
    }
  });
});

describe("texts without words, and requests without tasks", () => {
  it("refuses white space alone, as text and as words", async () => {
    for (const text of ["", " ", "\n\t\u00a0\u3000\ufeff"]) await refuses(encoder.run(text, ["task"]), "text-empty", /empty/);
    for (const tokens of [[], [""], [" ", ""]]) await refuses(batch([{ tokens, tasks: ["task"] }]), "text-empty", /empty/);
    await refuses(encoder.embed(["w1", " "]), "text-empty", /^request 1: /);
  });

  it("runs unknown characters alone, and gives {} for no tasks", async () => {
    const { task } = await encoder.run("\u{10ffff}\ue000 ☃", ["task"]);
    expect(task).toHaveLength(1);
    expect(await encoder.run("w1", [])).toEqual({});
  });
});

describe("messages of a batch name the request", () => {
  const good = { text: "w1", tasks: ["task"] };

  it("whatever is wrong with it", async () => {
    await refuses(batch([good, { text: "w1", tasks: ["missing"] }]), "task-unknown", /^request 1: .*"missing"/);
    await refuses(batch([good, good, { text: "x".repeat(1_000_001), tasks: [] }]), "text-too-long", /^request 2: /);
    await refuses(batch([good, { text: "w1 ".repeat(70), tasks: [] }]), "text-too-long", /^request 1: .*72 tokens/);
    await refuses(batch([null, good]), "argument-invalid", /^request 0: /);
    await refuses(batch([{ text: "w1", tasks: ["missing"] }]), "task-unknown", /^there is no task/);
  });
});

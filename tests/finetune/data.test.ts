import { beforeAll, describe, expect, it } from "vitest";
import { modelCard } from "../../src/finetune/model-card.ts";
import { trainAdapter, type TrainedAdapter, type TrainingOptions } from "../../src/finetune/index.ts";
import type { Classification, Encoder } from "../../src/index.ts";
import { refuses } from "../runtime/refuses.ts";
import { labelledRows, multiRows, spanRows, taggedRows, tinyEncoder, TOY } from "./fixture.ts";

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

const ONE: TrainingOptions = { ...TOY, epochs: 1 };
const train = (rows: unknown, options: TrainingOptions = {}, dev?: unknown): Promise<TrainedAdapter> =>
  trainAdapter(encoder, { name: "data", train: rows as unknown[], dev: dev as unknown[] }, { ...ONE, ...options });
const warningsOf = async (...given: Parameters<typeof train>): Promise<readonly string[]> => (await train(...given)).history.warnings;

describe("a row that cannot be read is named", () => {
  const ner = (row: unknown) => [...taggedRows(2), row, ...taggedRows(2)];
  const text = (row: unknown) => [...labelledRows(2), row];
  const spans = (given: unknown, content = "ada lives in oslo") => ner({ text: content, spans: given });
  it.each<[string, unknown[], RegExp]>([
    ["no object", ner("ada"), /^train: row 3: expected an object, found "ada"/],
    ["null", ner(null), /^train: row 3: expected an object, found null/],
    ["a list", ner([["ada"], ["O"]]), /^train: row 3: expected an object, found a list/],
    ["no fields", ner({}), /^train: row 3: a row is \{ tokens, tags \}.*no fields/],
    ["other fields", text({ content: "a", class: "b" }), /^train: row 3: a row is .*"content", "class"/],
    ["of another form", ner({ text: "ada", label: "good" }), /^train: row 3: the rows before are \{ tokens, tags \}.*this one is \{ text, label \}/],
    ["tokens of no list", ner({ tokens: "ada", tags: ["O"] }), /^train: row 3: tokens: expected a list/],
    ["a token of no string", ner({ tokens: ["ada", 3], tags: ["O", "O"] }), /^train: row 3: tokens: 1: expected a string, found number/],
    ["fewer tags", ner({ tokens: ["ada", "lives"], tags: ["O"] }), /^train: row 3: 2 tokens and 1 tags/],
    ["a tag of no string", ner({ tokens: ["ada"], tags: [null] }), /^train: row 3: tags: 0: expected a string, found null/],
    ["an unknown tag", ner({ tokens: ["ada"], tags: ["Z-PER"] }), /^train: row 3: tags: 0: "Z-PER" is no tag/],
    ["a tag without a label", ner({ tokens: ["ada"], tags: ["B-"] }), /^train: row 3: tags: 0: "B-" is no tag/],
    ["a tag without a prefix", ner({ tokens: ["ada"], tags: ["PER"] }), /^train: row 3: tags: 0: "PER" is no tag/],
    ["an entity called O", ner({ tokens: ["ada"], tags: ["B-O"] }), /^train: row 3: tags: 0: an entity cannot be called "O"/],
    ["a text of no string", text({ text: 5, label: "x" }), /^train: row 3: text: expected a string, found number/],
    ["no text", text({ label: "x" }), /^train: row 3: text: expected a string, found nothing/],
    ["a label of no string", text({ text: "ada", label: 1 }), /^train: row 3: label: expected a string, found 1/],
    ["an empty label", text({ text: "ada", label: "" }), /^train: row 3: label: a label must not be empty/],
    ["half a character as a label", text({ text: "ada", label: "\ud800" }), /^train: row 3: label: expected a string of whole characters/],
    ["labels of no list", [...multiRows(2), { text: "ada", labels: "x" }], /^train: row 3: labels: expected a list/],
    ["a span of no object", spans([3]), /^train: row 3: spans: 0: expected an object/],
    ["a span without an end", spans([{ start: 0, label: "PER" }]), /^train: row 3: spans: 0: end: expected a whole number/],
    ["a span past the end", spans([{ start: 13, end: 18, label: "LOC" }]), /^train: row 3: spans: 0: end: expected a whole number from 0 to 17, found 18/],
    ["a span before the beginning", spans([{ start: -1, end: 3, label: "PER" }]), /^train: row 3: spans: 0: start: expected a whole number/],
    ["a span of NaN", spans([{ start: Number.NaN, end: 3, label: "PER" }]), /^train: row 3: spans: 0: start/],
    ["an empty span", spans([{ start: 3, end: 3, label: "PER" }]), /^train: row 3: spans: 0: the span ends at 3 and starts at 3/],
    ["spans without a text", ner({ spans: [] }), /^train: row 3: text: expected a string, found nothing/],
    ["tags that contradict spans", ner({ ...taggedRows(1)[0]!, ...spanRows(1)[0]!, spans: [] }), /^train: row 3: its tags name 2 entities and its spans 0/],
  ])("%s", async (_, rows, says) => {
    await refuses(train(rows), "data-invalid", says);
    await refuses(train(rows.slice(0, 2), {}, rows), "data-invalid", new RegExp(says.source.replace("train", "dev")));
  });
});

describe("data that holds nothing to learn", () => {
  it.each<[string, unknown[], RegExp]>([
    ["no rows", [], /^train has no rows/],
    ["empty texts alone", [{ text: "", label: "a" }, { text: " \n", label: "b" }], /^train has no row with a text/],
    ["one class", labelledRows(12).filter(({ label }) => label === "fact"), /^train has one label only, "fact"/],
    ["no entity", taggedRows(4).map(({ tokens }) => ({ tokens, tags: tokens.map(() => "O") })), /^train has no entity/],
    ["no label", [{ text: "ada", labels: [] }], /^train has no label/],
  ])("%s", async (_, rows, says) => refuses(train(rows), "data-invalid", says));

  it("a dev without rows", async () => refuses(train(labelledRows(6), {}, []), "data-invalid", /^dev has no rows.*leave dev out/));
  it("no list", async () => {
    for (const rows of [null, undefined, 5, "rows", { length: 3 }]) await refuses(train(rows), "argument-invalid", /train/);
  });
});

describe("where training can go on it does, and says so", () => {
  it("nothing to say of good rows", async () => {
    for (const rows of [taggedRows(12), spanRows(12), labelledRows(12), multiRows(12)]) expect(await warningsOf(rows, { epochs: 20 }, rows)).toEqual([]);
  });

  it("empty texts are left out", async () => {
    const trained = await train([...labelledRows(6), { text: "  ", label: "fact" }, { text: "", label: "odd" }]);
    expect(trained.history.warnings).toEqual(["train: 2 rows have no text and were left out (first: row 7)."]);
    expect(trained.history.labels).toEqual(["blame", "fact", "praise"]);
    expect(await warningsOf([...taggedRows(6), { tokens: [], tags: [] }, { tokens: [" ", ""], tags: ["O", "O"] }])).toEqual(["train: 2 rows have no text and were left out (first: row 7)."]);
  });

  it("an I- without its B- begins an entity", async () => {
    const rows = [...taggedRows(6), { tokens: ["met", "oslo", "paris"], tags: ["O", "I-LOC", "I-LOC"] }];
    expect(await warningsOf(rows)).toEqual(["train: 1 rows have an I- tag with no entity of its kind before it, which begins one (first: row 7)."]);
  });

  it("a long row is cut, and entities beyond count as not found", async () => {
    const long = { text: `ada lives in ${"x y z ".repeat(17_000)}oslo`, spans: [{ start: 0, end: 3, label: "PER" }] };
    const lost = { text: long.text, spans: [{ start: long.text.length - 4, end: long.text.length, label: "LOC" }] };
    expect(long.text.length).toBeGreaterThan(100_000);
    const { history } = await train([...spanRows(36), long, lost], { epochs: 12, maxLength: 32 }, [...spanRows(20), lost]);
    expect(history.warnings).toEqual([
      "train: 2 rows are longer than 32 tokens and were cut (first: row 37).",
      "train: 1 rows have entities beyond their last word that is read, which were left out (first: row 38).",
      "dev: 1 rows are longer than 32 tokens and were cut (first: row 21).",
      "dev: 1 rows have entities beyond their last word that is read, which were left out (first: row 21).",
    ]);
    const places = history.perEntity!.find(({ label }) => label === "LOC")!;
    expect([places.support, places.recall]).toEqual([21, 20 / 21]);
    // The same of words.
    const words = long.text.split(" ");
    const tagged = { tokens: words, tags: words.map((_, i) => (i === words.length - 1 ? "B-LOC" : "O")) };
    expect((await train([...taggedRows(12), tagged])).history.warnings).toEqual([
      "train: 1 rows are longer than 64 tokens and were cut (first: row 13).",
      "train: 1 rows have entities beyond their last word that is read, which were left out (first: row 13).",
    ]);
  });

  it("a text beyond all bounds is cut before it is tokenised", async () => {
    const { history } = await train([...labelledRows(6), { text: "good ".repeat(400_000), label: "praise" }]);
    expect(history.warnings).toEqual(["train: 1 rows are longer than 64 tokens and were cut (first: row 7)."]);
  });

  it("spans in any order, overlapping, within words, without words", async () => {
    const text = "ada-ben lives in oslo  .";
    const row = (spans: [number, number, string][]) => ({ text, spans: spans.map(([start, end, label]) => ({ start, end, label })) });
    const rows = [
      ...spanRows(6),
      row([[17, 21, "LOC"], [0, 7, "PER"]]),
      row([[17, 21, "LOC"], [12, 21, "LOC"], [0, 3, "PER"]]), // overlapping; "ada" within "ada-ben"
      row([[0, 3, "PER"], [4, 7, "PER"]]), // two in one word
      row([[21, 23, "LOC"]]), // white space
    ];
    expect(await warningsOf(rows)).toEqual([
      "train: 3 rows have spans that begin or end within a word, which were widened to whole words (first: row 8).",
      "train: 1 rows have spans that overlap, of which the first and longest was kept (first: row 8).",
      "train: 1 rows have two spans in one word, of which the first was kept (first: row 9).",
      "train: 1 rows have spans without a word, which were left out (first: row 10).",
    ]);
  });

  it("labels that dev alone has are never found", async () => {
    const { history } = await train(labelledRows(36), { epochs: 12 }, [...labelledRows(9), { text: "ada", label: "odd" }]);
    expect(history.warnings).toEqual(['dev: 1 labels that train does not have count as not found: "odd".']);
    expect(history.best!.metric).toBe(0.9);
    expect(history.confusion!.labels).toEqual(["blame", "fact", "praise", "odd"]);
    const tagged = await train(taggedRows(36), { epochs: 12 }, [...taggedRows(9), { tokens: ["x"], tags: ["B-ODD"] }]);
    expect(tagged.history.warnings).toEqual(['dev: 1 labels that train does not have count as not found: "ODD".']);
    expect(tagged.history.perEntity!.find(({ label }) => label === "ODD")).toMatchObject({ recall: 0, support: 1 });
    const many = await train(multiRows(36), {}, [...multiRows(9), { text: "x", labels: ["odd", "age"] }]);
    expect(many.history.perEntity!.find(({ label }) => label === "odd")).toMatchObject({ recall: 0, support: 1 });
  });
});

describe("rows with text and spans beside tokens and tags", () => {
  const both = taggedRows(24).map((row, i) => ({ ...row, ...spanRows(24)[i]! }));

  /** Without the card, which has the seconds that it took. */
  const weights = ({ files }: TrainedAdapter) => new Map([...files].filter(([name]) => name !== "README.md"));

  it("are read as text", async () => {
    const [read, alone] = [await train(both), await train(spanRows(24))];
    expect(weights(read)).toEqual(weights(alone));
  });

  it("offsets in code points, as Python counts, are those of the same words", async () => {
    const prefixed = both.map(({ text, spans }) => ({ text: `😀 ${text}`, spans: spans.map(({ start, end, label }) => ({ start: start + 3, end: end + 3, label })) }));
    const points = prefixed.map(({ text, spans }) => ({ text, spans: spans.map(({ start, end, label }) => ({ start: start - 1, end: end - 1, label })) }));
    const [units, counted] = [await train(prefixed), await train(points, { offsets: "codepoint" })];
    expect(weights(counted)).toEqual(weights(units));
    expect(counted.history.warnings).toEqual([]);
  });
});

it("an entity's tags are labels too, and may be as long", async () => {
  const rows = (label: string) => Array.from({ length: 3 }, () => ({ text: "ada met ben", spans: [{ start: 0, end: 3, label }] }));
  await refuses(train(rows("x".repeat(1023))), "data-invalid", /spans: 0: label: expected a string of at most 1024 characters/);
  const { files } = await train(rows("x".repeat(1022)));
  await encoder.addAdapter("long", files, { replace: true });
  await encoder.removeAdapter("long");
});

describe("names of the prototype are names", () => {
  const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty"];

  it("as labels, entities and keys of class weights", async () => {
    const rows = NAMES.flatMap((label, i) => [{ text: ["good", "bad", "old", "new"][i], label }, { text: `${["good", "bad", "old", "new"][i]} ada`, label }]);
    const classWeights = JSON.parse('{"__proto__": 2, "constructor": 3}') as Record<string, number>;
    const trained = await train(rows, { epochs: 40, classWeights }, rows);
    expect(trained.history.best!.metric).toBe(1);
    expect(trained.history.labels).toEqual([...NAMES].sort());
    await encoder.addAdapter("names", trained, { replace: true });
    expect(((await encoder.run("good", ["names"])).names![0] as Classification).label).toBe("__proto__");
    const config = new TextDecoder().decode(trained.files.get("config.json"));
    expect(config).toContain('"__proto__": 0');

    const tagged = NAMES.map((label, i) => ({ tokens: [["ada", "oslo", "ben", "rome"][i]!, "met"], tags: [`B-${label}`, "O"] }));
    expect((await train(tagged)).history.labels).toEqual(["O", ...[...NAMES].sort().flatMap((label) => [`B-${label}`, `I-${label}`])]);
  });

  it("as fields of rows they are no fields of ours, and change nothing", async () => {
    const row = JSON.parse('{"__proto__": {"label": "fact"}, "text": "ada"}') as unknown;
    await refuses(train([...labelledRows(2), row]), "data-invalid", /^train: row 3: .*"__proto__", "text"/);
    expect(({} as Record<string, unknown>)["label"]).toBeUndefined();
  });
});

it("a fence in a label does not open the model card", async () => {
  const rows = labelledRows(12).map(({ text, label }) => ({ text, label: `${label}\n\`\`\`\`\n# Heading` }));
  const card = new TextDecoder().decode((await train(rows)).files.get("README.md"));
  expect(card.split("\n").filter((line) => line.startsWith("# "))).toEqual(["# data"]);
});

it("labels of more backtick runs than a call takes arguments make a card", async () => {
  const { history } = await train(labelledRows(12));
  const labels = Array.from({ length: 420 }, (_, index) => `${index}${"`a".repeat(500)}`);
  const card = modelCard({ ...history, labels });
  expect(card).toContain(JSON.stringify(labels.at(-1)));
});

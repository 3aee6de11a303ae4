import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Evaluation } from "../../src/cli/evaluate.ts";
import { wordEnds, wordTags } from "../../src/cli/word-tags.ts";
import { loadEncoder, type Classification, type Encoder, type EntityGroup } from "../../src/index.ts";
import { spansToTags } from "../unit/metrics/spans-to-tags.ts";
import { adapterFolder, ENCODER, program } from "./program.ts";

const SENTENCES = [
  "Electric Avenue in Brixton , London , gets its name from the first electrified shopping area .",
  "Snoke received his PhD in physics from the University of Illinois at Urbana-Champaign .",
  "Kopački Rit is not far from the Drava and the Danube in this part of Europe .",
  "It is operated by a non-profit corporation .",
].map((sentence) => sentence.split(" "));
const MESSAGES = ["I love this camera.", "The worst phone I ever had.", "What a lovely day with friends!", "It broke after a week."];

let folder: string;
let encoder: Encoder;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
  encoder = await loadEncoder(ENCODER);
  await encoder.addAdapter("people", adapterFolder("wikigold"));
  await encoder.addAdapter("mood", adapterFolder("vader-sentiment"));
});

afterAll(() => {
  encoder.dispose();
  rmSync(folder, { recursive: true });
});

function writeRows(name: string, rows: readonly object[]): string {
  const path = join(folder, name);
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

/** The tags that the library's own entities (aggregation "first") stand for. */
async function ownTags(tokens: string[]): Promise<string[]> {
  const [result] = await encoder.runBatch([{ tokens, tasks: ["people"] }]);
  const wordAt = new Map<number, number>();
  const wordEndingAt = new Map<number, number>();
  let at = 0;
  for (const [word, token] of tokens.entries()) {
    wordAt.set(at, word);
    wordEndingAt.set(at + token.length, word + 1);
    at += token.length + 1;
  }
  const spans = (result!["people"] as EntityGroup[]).map(({ entity_group, start, end }) => {
    return { label: entity_group, start: wordAt.get(start)!, end: wordEndingAt.get(end)! };
  });
  return spansToTags(spans, tokens.length);
}

async function evaluation(args: string[]): Promise<Evaluation & { maxTokens: number }> {
  const { code, stdout, stderr } = await program(["eval", "--json", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Evaluation & { maxTokens: number };
}

describe("rootstock eval", () => {
  it("scores spans: the adapter's own entities are all right, a changed one is wrong", async () => {
    const rows = await Promise.all(SENTENCES.map(async (tokens) => ({ tokens, tags: await ownTags(tokens) })));
    const own = await evaluation(["--adapter", adapterFolder("wikigold"), "--data", writeRows("own.jsonl.gz", rows)]);
    expect(await evaluation(["--adapter", pathToFileURL(adapterFolder("wikigold")).href, "--data", writeRows("own.jsonl.gz", rows)])).toEqual({ ...own, seconds: expect.any(Number) as unknown });
    const support = rows.flatMap(({ tags }) => tags).filter((tag) => tag.startsWith("B-")).length;
    expect(support).toBeGreaterThan(5);
    expect(own).toMatchObject({ rows: 4, truncated: 0, unknownLabels: [], maxTokens: 256 });
    expect(own.report).toMatchObject({ kind: "spans", precision: 1, recall: 1, f1: 1, support });

    const changed = rows.map(({ tokens, tags }) => ({ tokens, tags: [...tags] }));
    const at = changed[0]!.tags.findIndex((tag) => tag.startsWith("B-"));
    changed[0]!.tags[at] = changed[0]!.tags[at] === "B-PER" ? "B-ORG" : "B-PER"; // a span of one word more, or a wrong type
    const wrong = await evaluation(["--adapter", adapterFolder("wikigold"), "--data", writeRows("wrong.jsonl", changed)]);
    expect(wrong.report).toMatchObject({ precision: (support - 1) / support });
  });

  it("scores labels", async () => {
    const rows = [];
    for (const text of MESSAGES) {
      const { mood } = await encoder.run(text, ["mood"]);
      rows.push({ text, label: (mood[0] as Classification).label });
    }
    rows[0]!.label = rows[0]!.label === "positive" ? "negative" : "positive";
    const { report } = await evaluation(["--adapter", adapterFolder("vader-sentiment"), "--data", writeRows("labels.jsonl", rows)]);
    expect(report).toMatchObject({ kind: "classification", accuracy: 3 / 4, support: 4 });
  });

  it("cuts long rows and counts them; words that were cut are O", async () => {
    const [first, ...others] = SENTENCES;
    const tags = await ownTags(first!);
    const kept = wordTags(wordEnds(first!), (await encoder.runBatch([{ tokens: first!, tasks: ["people"] }], {
      maxTokens: 8, overflow: "truncate", aggregation: "none", ignoreLabels: [],
    }))[0]!["people"] as never); // prettier-ignore
    expect(kept.slice(6).every((tag) => tag === "O")).toBe(true);
    const path = writeRows("long.jsonl", [{ tokens: first, tags: kept }, { tokens: ["Ana"], tags: ["O"] }]);
    const cut = await evaluation(["--adapter", adapterFolder("wikigold"), "--data", path, "--max-tokens", "8"]);
    expect(cut).toMatchObject({ rows: 2, truncated: 1, maxTokens: 8 });
    expect(cut.report).toMatchObject({ recall: 1 });
    expect(tags.length + others.length).toBeGreaterThan(8);
  });

  it("prints a table for people, and a note on labels that the adapter does not have", async () => {
    const rows = [{ text: MESSAGES[0], label: "positive" }, { text: MESSAGES[1], label: "furious" }];
    const path = writeRows("unknown.jsonl", rows);
    const { code, stdout, stderr } = await program(["eval", "--adapter", adapterFolder("vader-sentiment"), "--data", path, "--per-label"]);
    expect(code).toBe(0);
    expect(stderr).toBe("note: the adapter has no label furious; the data do\n");
    expect(stdout).toContain("vader-sentiment on ");
    expect(stdout).toMatch(/accuracy +50\.00 %/);
    expect(stdout).toMatch(/^ +label +precision +recall +F1 +support$/m);
    expect(stdout).toMatch(/^ +furious +0\.00 % +0\.00 % +0\.00 % +1$/m);
  });

  it.each<[string, object[], string]>([
    ["data of the other kind", [{ text: "x", label: "positive" }], 'line 1: an NER adapter needs {"tokens"'],
    ["tokens and tags that do not match", [{ tokens: ["a"], tags: ["O"] }, { tokens: ["a", "b"], tags: ["O"] }], "line 2: 2 tokens and 1 tags"],
    ["no data", [], "has no rows"],
  ])("refuses %s", async (name, rows, words) => {
    const { code, stdout, stderr } = await program(["eval", "--adapter", adapterFolder("wikigold"), "--data", writeRows(`${name}.jsonl`, rows)]);
    expect(stderr).toContain(words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});

describe("wordTags", () => {
  const token = (entity: string, start: number, end: number) => ({ entity, start, end, score: 1, index: 0, word: "" });

  it("gives each word its first token's label", () => {
    const tokens = [token("B-A", 0, 2), token("O", 2, 5), token("I-A", 6, 7), token("B-B", 8, 9)];
    expect(wordTags(wordEnds(["abcde", "f", "g"]), tokens)).toEqual(["B-A", "I-A", "B-B"]);
  });

  it("gives O to a word without a token, in the middle and at the end", () => {
    expect(wordTags(wordEnds(["ab", "\u200b", "cd", "ef"]), [token("B-A", 0, 2), token("I-A", 5, 7)])).toEqual(["B-A", "O", "I-A", "O"]);
  });

  it("counts an empty word and its space", () => {
    expect(wordTags(wordEnds(["a", "", "b"]), [token("B-A", 0, 1), token("I-A", 3, 4)])).toEqual(["B-A", "O", "I-A"]);
  });

  it("knows a piece that begins with the space before its word", () => {
    expect(wordTags(wordEnds(["ab", "cd"]), [token("B-A", 0, 2), token("B-B", 2, 5)])).toEqual(["B-A", "B-B"]);
  });

  it("takes no tokens", () => {
    expect(wordTags([], [])).toEqual([]);
    expect(wordTags(wordEnds(["a"]), [])).toEqual(["O"]);
  });
});

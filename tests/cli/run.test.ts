import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Encoder, type EntityGroup, type Results } from "../../src/index.ts";
import { adapterFolder, ENCODER, jsonLines, program } from "./program.ts";

interface Row {
  text: string;
  results: Results;
}

const MOOD = ["--adapter", `mood=${adapterFolder("vader-sentiment")}`];
const PEOPLE = ["--adapter", `people=${adapterFolder("wikigold")}`];
const TEXT = "Ana Silva flew 😀 from Lisbon to Rio de Janeiro and loved it.";

let encoder: Encoder;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
  encoder = await loadEncoder(ENCODER);
  await encoder.addAdapter("mood", adapterFolder("vader-sentiment"));
  await encoder.addAdapter("people", adapterFolder("wikigold"));
});

afterAll(() => {
  encoder.dispose();
  rmSync(folder, { recursive: true });
});

describe("rootstock run --json", () => {
  it("prints what the library gives, to the last bit", async () => {
    const { code, stdout, stderr } = await program(["run", ...MOOD, ...PEOPLE, "--json", "--encoder", ENCODER, TEXT, "Dull."]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const expected = await encoder.runBatch([TEXT, "Dull."].map((text) => ({ text, tasks: ["mood", "people"] })));
    expect(jsonLines<Row>(stdout)).toEqual([
      { text: TEXT, results: expected[0] },
      { text: "Dull.", results: expected[1] },
    ]);
    expect(expected[0]!["people"]!.length).toBeGreaterThan(1);
  });

  it("hands its options on", async () => {
    const options = ["--aggregation", "none", "--top-k", "all", "--offsets", "codepoint", "--max-tokens", "12", "--overflow", "truncate"];
    const { stdout } = await program(["run", ...MOOD, ...PEOPLE, "--json", ...options, TEXT]);
    const expected = await encoder.run(TEXT, ["mood", "people"], {
      aggregation: "none", topK: null, offsets: "codepoint", maxTokens: 12, overflow: "truncate",
    });
    expect(jsonLines<Row>(stdout)).toEqual([{ text: TEXT, results: expected }]);
    expect(expected.mood).toHaveLength(2);
    const [first] = (await encoder.run(TEXT, ["people"])).people as EntityGroup[];
    expect(expected.people[0]).not.toEqual(first);
  });

  it("reads long texts in windows", async () => {
    const long = Array.from({ length: 30 }, () => TEXT).join(" ");
    for (const [given, options] of [
      [["--max-tokens", "40", "--stride", "0"], { maxTokens: 40, stride: 0 }],
      [["--max-tokens", "40", "--overflow", "windows"], { maxTokens: 40, overflow: "windows" }],
    ] as const) {
      const { stdout } = await program(["run", ...MOOD, ...PEOPLE, "--json", ...given, long]);
      expect(jsonLines<Row>(stdout)).toEqual([{ text: long, results: await encoder.run(long, ["mood", "people"], options) }]);
    }
  });

  it("takes the package's encoder and all its adapters by default", async () => {
    const { stdout } = await program(["run", "--json", "Nice."]);
    const names = readdirSync("models/adapters").sort();
    expect(names).toEqual(expect.arrayContaining(["banking77", "wikigold"]));
    expect(Object.keys(jsonLines<Row>(stdout)[0]!.results)).toEqual(names);
  });

  const LINES = `\ufeffI love it.\r\n\n   \n{"tokens": ["Ana", "met", "Bob", "."], "tasks": ["people"], "tags": []}\n{"text": "\\u00fcber", "tokens": 1}`;

  it.each<[string, () => Promise<{ code: number | null; stdout: string; stderr: string }>]>([
    ["standard input", () => program(["run", ...MOOD, ...PEOPLE, "--json", "-"], LINES)],
    ["a zipped standard input", () => program(["run", ...MOOD, ...PEOPLE, "--json", "-"], gzipSync(LINES))],
    ["a zipped file", () => {
      writeFileSync(join(folder, "lines.gz"), gzipSync(LINES));
      return program(["run", ...MOOD, ...PEOPLE, "--json", "--input", join(folder, "lines.gz")]);
    }],
  ])("reads text and JSON lines of %s", async (_, go) => {
    const { code, stdout, stderr } = await go();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const both = ["mood", "people"];
    const [first, third] = await encoder.runBatch([{ text: "I love it.", tasks: both }, { text: "über", tasks: both }]);
    const [second] = await encoder.runBatch([{ tokens: ["Ana", "met", "Bob", "."], tasks: ["people"] }]);
    expect(jsonLines<Row>(stdout)).toEqual([
      { text: "I love it.", results: first },
      { text: "Ana met Bob .", results: second },
      { text: "über", results: third },
    ]);
  });
});

describe("rootstock run refuses", () => {
  const LONG = "word ".repeat(600);

  it.each<[string, string, string, string]>([
    ["a text of too many tokens", `fine\nfine\n${LONG}\nfine`, "text-too-long: standard input, line 3: ", "overflow"],
    ["a broken JSON line", `fine\nfine\n{"text": "x"\nfine`, "json-invalid: standard input, line 3 ", "Correct the line"],
    ["a JSON line without a text", `fine\nfine\n{"words": []}\nfine`, "json-invalid: standard input, line 3: ", '"tokens"'],
    ["a task that was not added", `fine\nfine\n{"text": "x", "tasks": ["toString"]}`, "task-invalid: standard input, line 3: ", "a-z"],
    ["tokens that make no text", `fine\nfine\n{"tokens": ["", " "]}`, "text-empty: standard input, line 3: ", "empty"],
  ])("%s, with its line, after the results of those before", async (_, input, start, words) => {
    const { code, stdout, stderr } = await program(["run", ...MOOD, "--json", "-"], input);
    expect(stderr.startsWith(`rootstock: ${start}`), stderr).toBe(true);
    expect(stderr).toContain(words);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(code).toBe(1);
    expect(jsonLines<Row>(stdout).map(({ text }) => text)).toEqual(["fine", "fine"]);
  });

  it.each<[string, string[], string]>([
    ["a folder that is not there", ["--encoder", "no/such/folder", "--adapter", "a=b"], "source-missing: "],
    ["a name that is no task name", ["--adapter", `../x=${adapterFolder("vader-sentiment")}`], "task-invalid: "],
    ["one name twice", [...MOOD, ...MOOD], "task-exists: "],
    ["a limit beyond the encoder's", [...MOOD, "--max-tokens", "100000"], "argument-invalid: "],
    ["an encoder as an adapter", ["--adapter", `a=${ENCODER}`], "source-missing: adapter_config.json"],
  ])("%s", async (_, args, start) => {
    const { code, stdout, stderr } = await program(["run", ...args, "text"]);
    expect(stderr.startsWith(`rootstock: ${start}`), stderr).toBe(true);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  it.each<[string, Uint8Array | null, string]>([
    ["a file that is not there", null, "source-missing"],
    ["half a gzip file", gzipSync("some words\n".repeat(5000)).subarray(0, 60), "source-truncated"],
    ["a gzip file with a wrong byte", Uint8Array.from(gzipSync("some words\n"), (byte, i) => (i === 12 ? byte ^ 0xff : byte)), "source-unreadable"],
  ])("%s", async (name, bytes, expected) => {
    const path = join(folder, `${name.replaceAll(" ", "-")}.gz`);
    if (bytes !== null) writeFileSync(path, bytes);
    const { code, stderr } = await program(["run", ...MOOD, "--input", path]);
    expect(stderr.startsWith(`rootstock: ${expected}: ${path}`), stderr).toBe(true);
    expect(code).toBe(1);
  });
});

describe("rootstock run for people", () => {
  it("marks entities in place and shows labels with their scores", async () => {
    const { code, stdout, stderr } = await program(["run", ...MOOD, ...PEOPLE, "--offsets", "codepoint", TEXT]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const entities = (await encoder.run(TEXT, ["people"], { offsets: "codepoint" })).people as EntityGroup[];
    const flat = stdout.replace(/\s+/g, " ");
    for (const { entity_group, word, start, end, score } of entities) {
      expect(flat).toContain(`[${word}|${entity_group}]`);
      expect(flat).toContain(`${entity_group} ${start}-${end} ${score.toFixed(3)} ${word}`);
    }
    expect(stdout).toMatch(/mood\s+█+[▏▎▍▌▋▊▉]? *0\.\d{3} {2}positive/);
  });

  it("shows no control character of a text, colours or not", async () => {
    const { stdout } = await program(["run", ...MOOD, ...PEOPLE, "Ana \u001b\u0007\u202e met\tBob"]);
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout).toContain("Ana \ufffd\ufffd\ufffd met");
  });
});

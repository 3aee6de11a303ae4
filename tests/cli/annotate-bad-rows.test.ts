import { existsSync } from "node:fs";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AnnotateFolder, type ErrorRow } from "./annotate-folder.ts";
import { program } from "./program.ts";

interface Row {
  text: string;
}

const LONG = Array.from({ length: 30 }, () => "w1").join(" "); // the tiny encoder reads 19 tokens

let folder: AnnotateFolder;

beforeAll(() => {
  folder = new AnnotateFolder();
});

afterAll(() => folder.remove());

/** Runs with --errors; what became of the rows. */
async function bad(input: string, content: string | Uint8Array, ...more: string[]): Promise<{ texts: string[]; errors: ErrorRow[] }> {
  folder.write(input, content);
  const errors = folder.file(`${input}.errors`);
  const { code, stderr } = await folder.annotate(input, `${input}.out.jsonl`, "--errors", errors, ...more);
  const found = folder.lines<ErrorRow>(`${input}.errors`);
  const rows = folder.lines<Row>(`${input}.out.jsonl`);
  expect(stderr).toContain(`${rows.length + found.length} rows, ${found.length} bad rows, `);
  expect(code).toBe(0);
  return { texts: rows.map(({ text }) => text), errors: found };
}

describe("bad rows, with --errors", () => {
  it("go to a file with their line, row, code and reason, and the others go on", async () => {
    const lines = ['{"text":"w1"}', "not JSON", "", '{"text":"w2"', '["w3"]', '{"body":"w4"}', '{"text":7}', '{"text":" "}', `{"text":"${LONG}"}`, '{"tokens":["w5",6]}', '{"tokens":[]}', '{"text":"w6","text":"w7"}', '{"text":"w8"}'];
    const { texts, errors } = await bad("kinds.jsonl", lines.join("\n"));
    expect(texts).toEqual(["w1", "w8"]);
    expect(errors.map(({ line, row, code }) => [line, row, code])).toEqual([
      [2, 1, "json-invalid"],
      [4, 2, "json-invalid"],
      [5, 3, "json-invalid"],
      [6, 4, "json-invalid"],
      [7, 5, "json-invalid"],
      [8, 6, "text-empty"],
      [9, 7, "text-too-long"],
      [10, 8, "json-invalid"],
      [11, 9, "text-empty"],
      [12, 10, "json-invalid"],
    ]);
    for (const { line, reason } of errors) expect(reason).toContain(`kinds.jsonl, line ${line}`);
    expect(errors.at(6)!.reason).toContain("32 tokens and at most 19");
  });

  it("may be one that is no UTF-8, in JSON lines, text and CSV; nothing else is changed", async () => {
    const broken = (before: string, after: string): Buffer => Buffer.concat([Buffer.from(before), Buffer.from([0xe9, 0x20, 0xff]), Buffer.from(after)]);
    for (const [name, content, line] of [["latin.jsonl", broken('{"text":"w1"}\n{"text":"w2 ', '"}\n{"text":"w3"}\n'), 2], ["latin.txt", broken("w1\nw2 ", "\nw3\n"), 2], ["latin.csv", broken("text\nw1\nw2 ", "\nw3\n"), 3]] as const) {
      const { texts, errors } = await bad(name, content);
      expect(texts).toEqual(["w1", "w3"]);
      expect(errors).toMatchObject([{ line, row: 1, code: "source-unreadable", reason: expect.stringContaining("not UTF-8") as unknown }]);
    }
  });

  it("of CSV are those of a quote that is never closed, and no row up to the next quote", async () => {
    const { texts, errors } = await bad("open.csv", 'text,id\n"w1,1\nw2,2\nw3,"3 x"\nw4,4\n');
    expect(texts).toEqual(["w2", "w3", "w4"]);
    expect(errors).toMatchObject([{ line: 2, row: 0, reason: expect.stringContaining("a quote is not closed") as unknown }]);
  });

  it("are none where lines end in CR alone: the file is refused", async () => {
    folder.write("cr.csv", "text,id\rw1,1\rw2,2\r");
    expect(await folder.annotate("cr.csv", "cr.out.jsonl")).toMatchObject({ code: 1, stderr: expect.stringMatching(/source-unreadable: .*cr\.csv, line 1: a CR stands within the header/) as unknown });
  });

  it("may be a line that is too long to hold", async () => {
    const { texts, errors } = await bad("huge.jsonl", `{"text":"w1"}\n{"text":"${"x".repeat(9_000_000)}"}\n{"text":"w2"}\n`);
    expect(texts).toEqual(["w1", "w2"]);
    expect(errors).toMatchObject([{ line: 2, row: 1, code: "limit-exceeded" }]);
  });

  it("may be every row of a chunk", async () => {
    const { texts, errors } = await bad("most.jsonl", Array.from({ length: 300 }, (_, n) => JSON.stringify({ text: n === 200 ? "w1" : LONG })).join("\n"), "--workers", "2");
    expect(texts).toEqual(["w1"]);
    expect(errors.map(({ row }) => row)).toEqual(Array.from({ length: 300 }, (_, n) => n).filter((n) => n !== 200));
  });

  it("in CSV are those of another length and of wrong quotes, by the line where they begin", async () => {
    const lines = ["id,text", '1,"w1', 'w1"', "2", "3,w3,x", "", '4,"w4"x', "5,w5", '6,5" w6', "7,", '8,"w8', "9,w9"];
    const { texts, errors } = await bad("rows.csv", lines.join("\r\n"));
    expect(texts).toEqual(["w1\r\nw1", "w5", "w9"]);
    expect(errors.map(({ line, row, code }) => [line, row, code])).toEqual([
      [4, 1, "source-unreadable"],
      [5, 2, "source-unreadable"],
      [7, 3, "source-unreadable"],
      [9, 5, "source-unreadable"],
      [10, 6, "text-empty"],
      [11, 7, "source-unreadable"],
    ]);
    expect(errors[0]!.reason).toContain("line 4: 1 fields, and the header has 2");
    expect(errors.at(-1)!.reason).toContain("line 11 is no sound CSV: a quote is not closed");
  });

  it("in Parquet have a row and no line", async () => {
    const columnData = [
      { name: "text", data: ["w1", null, "", 5, LONG, "w2"], type: "JSON" as const },
      { name: "tokens", data: [null, null, null, null, null, null], type: "JSON" as const },
    ];
    const { texts, errors } = await bad("rows.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    expect(texts).toEqual(["w1", "w2"]);
    expect(errors.map(({ line, row, code }) => [line, row, code])).toEqual([
      [null, 1, "text-empty"],
      [null, 2, "text-empty"],
      [null, 3, "json-invalid"],
      [null, 4, "text-too-long"],
    ]);
    expect(errors[0]!.reason).toContain("rows.parquet, row 1");
  });

  it("count for their shard alone", async () => {
    const { texts, errors } = await bad("shard.jsonl", '{"text":"w0"}\n{}\n{"text":"w2"}\n{}\n', "--shard", "2/2");
    expect(texts).toEqual([]);
    expect(errors.map(({ row }) => row)).toEqual([1, 3]);
  });

  it("go to the file with standard output too", async () => {
    const errors = folder.file("stream.errors");
    const { code, stdout } = await program(folder.args("-", "-", "--errors", errors), '{"text":"w1"}\nx\n{"text":"w2"}\n');
    expect(code).toBe(0);
    expect(stdout.split("\n").length).toBe(3);
    expect(folder.lines("stream.errors")).toMatchObject([{ line: 2, row: 1, code: "json-invalid" }]);
    expect((await program(folder.args("-", "-", "--errors", errors), "")).stderr).toContain("is there already");
  });
});

describe("a bad row, without --errors", () => {
  it("ends the run with its line; what was before is kept, and --resume goes past it with --errors", async () => {
    folder.write("stop.jsonl", Array.from({ length: 150 }, (_, n) => (n === 100 ? "{}" : JSON.stringify({ text: `w${n % 40}` }))).join("\n"));
    const first = await folder.annotate("stop.jsonl", "stop.out.jsonl");
    expect(first.code).toBe(1);
    expect(first.stderr).toContain("100 rows are kept in ");
    expect(first.stderr).toMatch(/^rootstock: json-invalid: .*stop\.jsonl, line 101: /m);
    expect(existsSync(folder.file("stop.out.jsonl"))).toBe(false);
    expect(folder.lines("stop.out.jsonl.partial")).toHaveLength(100);

    expect((await folder.annotate("stop.jsonl", "stop.out.jsonl", "--resume")).stderr).toContain("line 101");
    const errors = ["--errors", folder.file("stop.errors")];
    expect((await folder.annotate("stop.jsonl", "stop.out.jsonl", "--resume", ...errors)).code).toBe(0);
    expect((await folder.annotate("stop.jsonl", "stop.whole.jsonl", "--errors", folder.file("stop.whole.errors"))).code).toBe(0);
    expect(folder.read("stop.out.jsonl")).toBe(folder.read("stop.whole.jsonl"));
    expect(folder.read("stop.errors")).toBe(folder.read("stop.whole.errors"));
  });

  it("that is the first leaves nothing behind", async () => {
    folder.write("first.jsonl", "x\n");
    const { code } = await folder.annotate("first.jsonl", "first.out.jsonl");
    expect(code).toBe(1);
    for (const name of ["first.out.jsonl", "first.out.jsonl.partial", "first.out.jsonl.checkpoint"]) expect(existsSync(folder.file(name))).toBe(false);
  });

  it("ends standard output after the rows before it", async () => {
    const { code, stdout, stderr } = await program(folder.args("-", "-"), '{"text":"w1"}\n{}\n{"text":"w2"}\n');
    expect(code).toBe(1);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toContain("standard input, line 2");
  });
});

describe("what is no fault of a row", () => {
  it.each<[string, string[], string]>([
    ["an option out of range", ["--max-tokens", "2"], "argument-invalid: maxTokens is 2"],
    ["an adapter that does not fit", ["--adapter", "other=models/adapters/vader-sentiment", "--tasks", "other"], "adapter"],
  ])("ends the run before it begins: %s", async (_, more, words) => {
    folder.rows("fine.jsonl", 3);
    const { code, stderr } = await folder.annotate("fine.jsonl", "fine.out.jsonl", "--errors", folder.file("fine.errors"), ...more);
    expect(stderr).toContain(words);
    expect(code).toBe(1);
    for (const name of ["fine.out.jsonl.partial", "fine.out.jsonl.checkpoint", "fine.errors"]) expect(existsSync(folder.file(name))).toBe(false);
  });

  it("is an input whose name no system takes", async () => {
    const { code, stderr } = await program(["annotate", folder.file(`${"n".repeat(300)}.jsonl`), "--output", folder.file("long.jsonl"), "--tasks", "a", "--adapter", "a=b"]);
    expect(stderr).toMatch(/^rootstock: source-unreadable: .*could not be read: ENAMETOOLONG/);
    expect(code).toBe(1);
  });

  it("is an input that is not there", async () => {
    const { code, stderr } = await folder.annotate("nowhere.jsonl", "nowhere.out.jsonl");
    expect(stderr).toMatch(/^rootstock: source-missing: .*nowhere\.jsonl is not there/);
    expect(code).toBe(1);
  });
});

import { readdirSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { asyncBufferFromFile, parquetReadObjects, type ParquetType, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter, parquetWriteBuffer, schemaFromColumnData, type ColumnSource } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Results } from "../../src/index.ts";
import { AnnotateFolder, tinyText, type ErrorRow } from "./annotate-folder.ts";
import { jsonLines, program } from "./program.ts";

interface Row {
  [field: string]: unknown;
  annotations: Results;
}

const TEXTS = ["w1 w2 w3", "w4, w5 😀 w6", 'w7 "w8" w9', "w10\nw11"];
const SUMMARY = /^[0-9,]+ rows, [0-9,]+ bad rows, [0-9,]+ rows\/s\n$/;

let folder: AnnotateFolder;
let expected: Results[];

beforeAll(async () => {
  folder = new AnnotateFolder();
  expected = await folder.expected(TEXTS);
});

afterAll(() => folder.remove());

async function done(input: string, output: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await folder.annotate(input, output, ...more);
  expect(stderr).toMatch(SUMMARY);
  expect(code).toBe(0);
  return stdout;
}

function parquet(name: string, columnData: ColumnSource[]): string {
  return folder.write(name, new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 2 })));
}

/** A Zstandard frame of one raw block (RFC 8878), which Node 20 has no call to make. */
function storedZstd(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(12 + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  view.setUint8(4, 0b1010_0000); // one segment; its size in 4 bytes
  view.setUint32(5, bytes.length, true);
  const block = (bytes.length << 3) | 1; // the last block, raw
  frame.set([block & 255, (block >> 8) & 255, block >> 16], 9);
  frame.set(bytes, 12);
  return frame;
}

async function readParquet(name: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(folder.file(name)) });
}

describe("JSON lines in, JSON lines out", () => {
  it("keeps the fields as they came, digit for digit, and adds what the library gives", async () => {
    const fields = TEXTS.map((text, n) => `{"id":900719925474099${n}1, "text": ${JSON.stringify(text)},"1":null,"0":[{"__proto__":1e400}]`);
    folder.write("own.jsonl", fields.map((line) => `${line} }\n`).join(""));
    expect(await done("own.jsonl", "own.out.jsonl")).toBe("");
    expect(folder.read("own.out.jsonl")).toBe(fields.map((line, n) => `${line},"annotations":${JSON.stringify(expected[n])}}\n`).join(""));
  });

  it("reads gzip, a byte order mark, CRLF, blank lines and a last line without an end", async () => {
    const text = `\uFEFF${TEXTS.map((line) => JSON.stringify({ text: line })).join("\r\n\r\n")}`;
    folder.write("odd.jsonl.gz", gzipSync(text));
    await done("odd.jsonl.gz", "odd.out.jsonl");
    expect(folder.lines<Row>("odd.out.jsonl")).toEqual(TEXTS.map((line, n) => ({ text: line, annotations: expected[n] })));
  });

  it("reads words already split, and texts under another name", async () => {
    const words = ["w1", "w2", "w3"];
    folder.write("named.ndjson", `${JSON.stringify({ tokens: words })}\n${JSON.stringify({ body: TEXTS[1], text: 5 })}\n`);
    await done("named.ndjson", "named.out.jsonl", "--text-field", "body", "--annotations-field", "found");
    const [split] = await folder.expected([words]);
    expect(folder.lines("named.out.jsonl")).toEqual([{ tokens: words, found: split }, { body: TEXTS[1], text: 5, found: expected[1] }]);
  });

  it("hands its options on, and the tasks in their order", async () => {
    folder.write("options.jsonl", JSON.stringify({ text: "w1 😀 w2 w3 w4 w5" }));
    const options = ["--aggregation", "none", "--top-k", "all", "--offsets", "codepoint", "--max-tokens", "5", "--overflow", "truncate"];
    await done("options.jsonl", "options.out.jsonl", "--tasks", "names,kind", ...options);
    const [result] = await folder.expected(["w1 😀 w2 w3 w4 w5"], { aggregation: "none", topK: null, offsets: "codepoint", maxTokens: 5, overflow: "truncate" });
    const [row] = folder.lines<Row>("options.out.jsonl");
    expect(row!.annotations).toEqual(result);
    expect(Object.keys(row!.annotations)).toEqual(["names", "kind"]);
    expect(result!["kind"]).toHaveLength(3);
  });

  it("gives the same bytes with workers", async () => {
    folder.rows("many.jsonl", 1000);
    await done("many.jsonl", "many.1.jsonl");
    await done("many.jsonl", "many.3.jsonl", "--workers", "3");
    expect(folder.read("many.3.jsonl")).toBe(folder.read("many.1.jsonl"));
    const rows = folder.lines<Row>("many.1.jsonl");
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    expect(rows.slice(500, 510).map(({ annotations }) => annotations)).toEqual(await folder.expected(Array.from({ length: 10 }, (_, n) => tinyText(500 + n))));
  });

  it("parts the rows between shards: each in one, together all", async () => {
    folder.rows("shards.jsonl", 200);
    await done("shards.jsonl", "shards.all.jsonl");
    const parts: string[][] = [];
    for (const shard of [1, 2, 3]) {
      await done("shards.jsonl", `shards.${shard}.jsonl`, "--shard", `${shard}/3`);
      parts.push(folder.read(`shards.${shard}.jsonl`).split("\n").filter(Boolean));
    }
    const whole = folder.read("shards.all.jsonl").split("\n").filter(Boolean);
    expect(parts.map((part) => part.length)).toEqual([67, 67, 66]);
    expect(whole.map((_, row) => parts[row % 3]![Math.floor(row / 3)])).toEqual(whole);
  });

  it("reads standard input and writes standard output", async () => {
    const { code, stdout, stderr } = await program(folder.args("-", "-"), TEXTS.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    expect(stderr).toMatch(SUMMARY);
    expect(code).toBe(0);
    expect(jsonLines<Row>(stdout).map(({ annotations }) => annotations)).toEqual(expected);
  });

  it("writes an empty file for an empty one", async () => {
    folder.write("empty.jsonl", "");
    await done("empty.jsonl", "empty.out.jsonl");
    expect(folder.read("empty.out.jsonl")).toBe("");
  });
});

describe("text in", () => {
  it("takes each line that is not blank", async () => {
    folder.write("plain.log", `{w1 w2\r\n\n${TEXTS[1]}`);
    await done("plain.log", "plain.out.jsonl", "--format", "text", "--text-field", "line");
    const [first] = await folder.expected(["{w1 w2"]);
    expect(folder.lines("plain.out.jsonl")).toEqual([{ line: "{w1 w2", annotations: first }, { line: TEXTS[1], annotations: expected[1] }]);
  });
});

describe("CSV in", () => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  it.each<[string, string, string, string]>([
    ["CSV", "a.csv", ",", "\n"],
    ["CSV with CRLF, gzip and a byte order mark", "b.csv.gz", ",", "\r\n"],
    ["TSV", "c.tsv", "\t", "\n"],
  ])("reads %s", async (_, name, comma, end) => {
    const header = ["1", "text", "0"].join(comma);
    const lines = TEXTS.map((text, n) => [n, quoted(text), '"a, ""b"""'].join(comma));
    const text = [header, ...lines, ""].join(end);
    folder.write(name, name.endsWith(".gz") ? gzipSync(`\uFEFF${text}`) : text);
    await done(name, `${name}.out.jsonl`);
    const rows = TEXTS.map((line, n) => `{"1":"${n}","text":${JSON.stringify(line)},"0":"a, \\"b\\"","annotations":${JSON.stringify(expected[n])}}\n`);
    expect(folder.read(`${name}.out.jsonl`)).toBe(rows.join(""));
  });

  it("reads standard input by --format", async () => {
    const { code, stdout } = await program(folder.args("-", "-", "--format", "csv"), `text\n${quoted(TEXTS[2]!)}`);
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toEqual([{ text: TEXTS[2], annotations: expected[2] }]);
  });

  it("needs a column of texts, and one of each name", async () => {
    folder.write("untitled.csv", "id,body\n1,w1\n");
    const missing = await folder.annotate("untitled.csv", "untitled.jsonl");
    expect(missing.stderr).toContain('line 1: no column is called "text"; there are "id", "body"');
    folder.write("twice.csv", "text,text\nw1,w2\n");
    expect((await folder.annotate("twice.csv", "twice.jsonl")).stderr).toContain('the header names "text" twice');
    folder.write("nothing.csv", "");
    expect((await folder.annotate("nothing.csv", "nothing.jsonl")).stderr).toContain("a CSV file begins with a header row");
  });
});

describe("Parquet in", () => {
  /** Three texts, of which the group says other figures. */
  function lying(name: string, rows: bigint, values: bigint): string {
    const columnData = [{ name: "text", data: ["w1", "w2", "w3"], offsetIndex: false }];
    const writer = new ByteWriter();
    const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData }) });
    void file.write({ columnData });
    const [group] = file.row_groups;
    group!.num_rows = file.num_rows = rows;
    group!.columns[0]!.meta_data!.num_values = values;
    void file.finish();
    return folder.write(name, writer.getBytes());
  }

  it.each<[string, bigint, bigint, string]>([
    ["more rows than its column's values", 100_000_000n, 3n, 'source-truncated: .*lying\\.parquet: column "text" has fewer rows than a row group says'],
    ["more rows than its pages", 5n, 5n, 'source-truncated: .*lying\\.parquet: column "text" has fewer rows than a row group says'],
    ["more rows than can be held", 100_000_000n, 100_000_000n, "limit-exceeded: .* has 100000000 rows of 1 columns, .*smaller row groups"],
    ["fewer rows than none", -3n, 3n, "source-unreadable: .* a row group has -3 rows"],
  ])("refuses a row group that says %s", async (_, rows, values, words) => {
    lying("lying.parquet", rows, values);
    const { code, stderr } = await folder.annotate("lying.parquet", "lying.jsonl", "--errors", folder.file("lying.errors"));
    expect(stderr).toMatch(new RegExp(`^rootstock: ${words}`));
    expect(code).toBe(1);
  });

  it("passes over a row group of no rows", async () => {
    const columnData = [{ name: "text", data: TEXTS.slice(0, 2), offsetIndex: false }];
    const writer = new ByteWriter();
    const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData }) });
    void file.write({ columnData });
    const [group] = file.row_groups;
    const [column] = group!.columns;
    file.row_groups.push({ ...group!, num_rows: 0n, columns: [{ ...column!, meta_data: { ...column!.meta_data!, num_values: 0n } }] });
    void file.finish();
    folder.write("none-last.parquet", writer.getBytes());
    await done("none-last.parquet", "none-last.jsonl");
    expect(folder.lines<Row>("none-last.jsonl").map(({ annotations }) => annotations)).toEqual(expected.slice(0, 2));
  });

  it("refuses two columns of one name, also within a struct", async () => {
    parquet("twice.parquet", [{ name: "text", data: ["w1"] }, { name: "id", data: [1], type: "INT32" }, { name: "id", data: [2], type: "INT32" }]);
    const text: SchemaElement = { name: "text", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" };
    const id: SchemaElement = { name: "id", type: "INT32", repetition_type: "REQUIRED" };
    const schema: SchemaElement[] = [{ name: "root", num_children: 2 }, text, { name: "by", repetition_type: "REQUIRED", num_children: 2 }, id, id];
    const columnData = [{ name: "text", data: ["w1"] }, { name: "by", data: [{ id: 1 }] }];
    folder.write("twice-within.parquet", new Uint8Array(parquetWriteBuffer({ columnData, schema, statistics: false })));
    for (const name of ["twice.parquet", "twice-within.parquet"]) {
      const { code, stderr } = await folder.annotate(name, "twice.jsonl", "--errors", folder.file("twice.errors"));
      expect(stderr).toMatch(/^rootstock: argument-invalid: .*\.parquet: two columns are called "id"\. Rename one of them\./);
      expect(code).toBe(1);
    }
  });

  it("reads row groups, with every type as JSON says it", async () => {
    parquet("types.parquet", [
      { name: "text", data: TEXTS, type: "STRING" },
      { name: "big", data: [2n ** 62n, null, -1n, 0n], type: "INT64" },
      { name: "share", data: [0.5, null, NaN, -0], type: "DOUBLE" },
      { name: "yes", data: [true, false, null, true], type: "BOOLEAN" },
      { name: "at", data: [new Date(0), null, new Date(86_400_123), new Date(1)], type: "TIMESTAMP" },
      { name: "raw", data: [new Uint8Array([255, 0]), null, new TextEncoder().encode("ü"), new Uint8Array(0)], type: "BYTE_ARRAY" },
      { name: "more", data: [{ a: [1] }, null, "x", 5], type: "JSON" },
    ]);
    await done("types.parquet", "types.out.jsonl");
    const values = [
      `"big":4611686018427387904,"share":0.5,"yes":true,"at":"1970-01-01T00:00:00.000Z","raw":"/wA=","more":{"a":[1]}`,
      `"big":null,"share":null,"yes":false,"at":null,"raw":null,"more":null`,
      `"big":-1,"share":null,"yes":null,"at":"1970-01-02T00:00:00.123Z","raw":"ü","more":"x"`,
      `"big":0,"share":0,"yes":true,"at":"1970-01-01T00:00:00.001Z","raw":"","more":5`,
    ];
    expect(folder.read("types.out.jsonl")).toBe(
      values.map((line, n) => `{"text":${JSON.stringify(TEXTS[n])},${line},"annotations":${JSON.stringify(expected[n])}}\n`).join(""),
    );
  });

  it("reads decimals digit for digit, and days without a date as their number", async () => {
    const decimal = (name: string, type: ParquetType, more: object = {}): SchemaElement => ({ name, type, converted_type: "DECIMAL", repetition_type: "OPTIONAL", precision: 20, scale: 2, ...more });
    const day: SchemaElement = { name: "day", type: "INT32", converted_type: "DATE", repetition_type: "OPTIONAL" };
    const list: SchemaElement[] = [
      { name: "sums", converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      decimal("element", "INT32", { scale: 1 }),
    ];
    const map: SchemaElement[] = [
      { name: "by", converted_type: "MAP", repetition_type: "OPTIONAL", num_children: 1 },
      { name: "key_value", repetition_type: "REPEATED", num_children: 2 },
      { name: "key", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
      { name: "value", repetition_type: "OPTIONAL", num_children: 2 },
      decimal("sum", "INT64"),
      { name: "n", type: "INT32", repetition_type: "OPTIONAL" },
    ];
    const columns: [SchemaElement[], unknown[]][] = [
      [[{ name: "text", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" }], TEXTS],
      [[decimal("price", "INT32")], [1999n, -5n, null, 0n]],
      [[decimal("none", "INT32", { scale: 0 })], [1999n, -5n, null, 0n]],
      [[decimal("big", "INT64", { scale: 10 })], [2n ** 62n, null, -1n, 0n]],
      [[decimal("wide", "FIXED_LEN_BYTE_ARRAY", { type_length: 12 })], [2n ** 94n, null, -1n, 0n]],
      [[decimal("bytes", "BYTE_ARRAY")], [2n ** 94n + 1n, null, -200n, 0n]],
      [[day], [2147483647, -1, null, 0]],
      [list, [[11n, null], [], null, [-3n]]],
      [map, [{ key: { sum: 150n, n: 1 } }, null, {}, { n: null }]],
    ];
    const schema: SchemaElement[] = [{ name: "root", num_children: columns.length }, ...columns.flatMap(([elements]) => elements)];
    const columnData = columns.map(([[element], data]) => ({ name: element!.name, data }));
    folder.write("decimals.parquet", new Uint8Array(parquetWriteBuffer({ columnData, schema, statistics: false })));
    await done("decimals.parquet", "decimals.out.jsonl");
    expect(folder.read("decimals.out.jsonl").split("\n").slice(0, 4).map((line) => /"price".*(?=,"annotations")/.exec(line)![0])).toEqual([
      `"price":19.99,"none":1999,"big":461168601.8427387904,"wide":198070406285660843983859875.84,"bytes":198070406285660843983859875.85,"day":"2147483647","sums":[1.1,null],"by":{"key":{"sum":1.50,"n":1}}`,
      `"price":-0.05,"none":-5,"big":null,"wide":null,"bytes":null,"day":"1969-12-31","sums":[],"by":null`,
      `"price":null,"none":null,"big":-0.0000000001,"wide":-0.01,"bytes":-2.00,"day":null,"sums":null,"by":{}`,
      `"price":0.00,"none":0,"big":0.0000000000,"wide":0.00,"bytes":0.00,"day":"1970-01-01","sums":[-0.3],"by":{"n":null}`,
    ]);
  });

  it("reads a column of words", async () => {
    const words = [["w1", "w2"], ["w3"]];
    parquet("words.parquet", [{ name: "tokens", data: words, type: "JSON" }]);
    await done("words.parquet", "words.out.jsonl");
    const results = await folder.expected(words);
    expect(folder.lines("words.out.jsonl")).toEqual(words.map((tokens, n) => ({ tokens, annotations: results[n] })));
  });

  it.each<["GZIP" | "BROTLI" | "ZSTD" | "UNCOMPRESSED", (bytes: Uint8Array) => Uint8Array]>([
    ["GZIP", gzipSync],
    ["BROTLI", brotliCompressSync],
    ["ZSTD", storedZstd],
    ["UNCOMPRESSED", (bytes) => bytes],
  ])("reads pages packed by %s", async (codec, pack) => {
    const columnData: ColumnSource[] = [{ name: "text", data: TEXTS, type: "STRING" }];
    folder.write(`${codec}.parquet`, new Uint8Array(parquetWriteBuffer({ columnData, codec, compressors: { [codec]: pack } })));
    await done(`${codec}.parquet`, `${codec}.jsonl`);
    expect(folder.lines<Row>(`${codec}.jsonl`).map(({ annotations }) => annotations)).toEqual(expected);
  });

  it("refuses what is no Parquet, has no texts, or comes through a pipe", async () => {
    folder.write("fake.parquet", "this is no Parquet file at all");
    expect((await folder.annotate("fake.parquet", "fake.jsonl")).stderr).toMatch(/^rootstock: source-unreadable: .*fake\.parquet could not be read as Parquet/);
    parquet("numbers.parquet", [{ name: "n", data: [1], type: "INT32" }]);
    expect((await folder.annotate("numbers.parquet", "numbers.jsonl")).stderr).toContain('no column is called "text" or "tokens"; there are "n"');
    expect((await folder.annotate("-", "pipe.jsonl", "--format", "parquet")).code).toBe(2);
  });
});

describe("Parquet out", () => {
  it("has a column a field, typed where all rows agree, and columns a task", async () => {
    const rows = [
      { n: 1, x: 0.5, ok: true, mixed: "a", text: TEXTS[0] },
      { n: 2, x: 3, ok: null, mixed: [1, { b: "ü" }], text: TEXTS[1], late: "z" },
      { text: TEXTS[2], mixed: 5 },
    ];
    folder.write("columns.jsonl", rows.map((row) => JSON.stringify(row)).join("\n").replace('"n":2', '"n":9007199254740993'));
    expect(await done("columns.jsonl", "columns.parquet")).toBe("");
    const label = (n: number): Record<string, unknown> => {
      const { kind, names } = expected[n]!;
      const [first] = kind as { label: string; score: number }[];
      return { kind, kind_label: first!.label, kind_score: first!.score, names };
    };
    expect(await readParquet("columns.parquet")).toEqual([
      { n: 1n, x: 0.5, ok: true, mixed: "a", text: TEXTS[0], late: null, ...label(0) },
      { n: 9007199254740993n, x: 3, ok: null, mixed: [1, { b: "ü" }], text: TEXTS[1], late: "z", ...label(1) },
      { n: null, x: null, ok: null, mixed: 5, text: TEXTS[2], late: null, ...label(2) },
    ]);
  });

  it("can be read again, and puts a name before its own columns", async () => {
    folder.write("again.csv", `text\n${TEXTS.slice(0, 2).map((text) => `"${text}"`).join("\n")}\n`);
    await done("again.csv", "again.1.parquet");
    await done("again.1.parquet", "again.2.parquet", "--annotations-field", "second");
    const rows = await readParquet("again.2.parquet");
    expect(Object.keys(rows[0]!)).toEqual(["text", "kind", "kind_label", "kind_score", "names", "second_kind", "second_kind_label", "second_kind_score", "second_names"]);
    expect(rows.map((row) => row["second_names"])).toEqual(rows.map((row) => row["names"]));
  });

  it("keeps the digits of a JSON column that is read again; what is no JSON there is a text", async () => {
    const ids = ["9007199254740993", '"x"', "1.50", '{ "a": [1e2] }'];
    folder.write("digits.jsonl", ids.map((id, n) => `{"text":${JSON.stringify(TEXTS[n])},"id":${id}}\n`).join(""));
    await done("digits.jsonl", "digits.parquet");
    await done("digits.parquet", "digits.out.jsonl", "--annotations-field", "second");
    expect(folder.read("digits.out.jsonl").split("\n").slice(0, 4).map((line) => /"id":(.*?),"kind":/.exec(line)![1])).toEqual(ids);
    // Strings whose column says afterwards that they are JSON.
    const columnData = [{ name: "text", data: TEXTS }, { name: "odd", data: ["[1,\n2]", "no json {", "null", null] }];
    const writer = new ByteWriter();
    const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData }) });
    void file.write({ columnData });
    Object.assign(file.schema.find(({ name }) => name === "odd")!, { converted_type: "JSON", logical_type: { type: "JSON" } });
    void file.finish();
    folder.write("odd.parquet", writer.getBytes());
    await done("odd.parquet", "odd.jsonl");
    expect(folder.read("odd.jsonl").split("\n").slice(0, 4).map((line) => /"odd":(.*?),"annotations":/.exec(line)![1])).toEqual(["[1, 2]", '"no json {"', "null", "null"]);
  });

  it("is made of no rows too, and under any name", async () => {
    folder.write("none.jsonl", "");
    await done("none.jsonl", "none.out", "--output-format", "parquet");
    expect(await readParquet("none.out")).toEqual([]);
  });
});

describe("fields that are in the way", () => {
  it.each<[string, string, string, string]>([
    ["the field of the results", "taken.jsonl", '{"text":"w1","annotations":1}\n', "taken.out.jsonl"],
    ["a column of the results", "column.csv", "text,kind_score\nw1,1\n", "column.parquet"],
  ])("refuses %s at once, and leaves nothing", async (_, input, content, output) => {
    folder.write(input, content);
    const { code, stderr } = await folder.annotate(input, output, "--errors", folder.file("taken.errors"));
    expect(stderr).toMatch(/^rootstock: argument-invalid: .*line 1: there is a field ".*" already.*--annotations-field/);
    expect(code).toBe(1);
    expect((await folder.annotate(input, output, "--annotations-field", "mine")).code).toBe(0);
  });

  it("refuses the field of plain text where the results have its name", async () => {
    folder.write("reserved.txt", "w1\n");
    const { code, stderr } = await folder.annotate("reserved.txt", "reserved.jsonl", "--annotations-field", "text");
    expect(stderr).toMatch(/^rootstock: argument-invalid: .*reserved\.txt: there is a field "text" already/);
    expect(code).toBe(1);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("reserved."))).toEqual(["reserved.txt"]);
  });

  it("takes it for a bad row further on", async () => {
    folder.write("later.jsonl", '{"text":"w1"}\n{"text":"w2","annotations":1}\n{"text":"w3"}\n');
    await done("later.jsonl", "later.out.jsonl", "--errors", folder.file("later.errors"));
    expect(folder.lines<Row>("later.out.jsonl").map(({ text }) => text)).toEqual(["w1", "w3"]);
    expect(folder.lines<ErrorRow>("later.errors")).toMatchObject([{ line: 2, row: 1, code: "argument-invalid" }]);
  });
});

import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkpointText, parseCheckpoint, type Checkpoint } from "../../src/cli/annotate/checkpoint.ts";
import { chunks } from "../../src/cli/annotate/chunks.ts";
import { Columns, columnValue } from "../../src/cli/annotate/columns.ts";
import { CsvRecords } from "../../src/cli/annotate/csv-records.ts";
import { jsonFields } from "../../src/cli/annotate/json-object.ts";
import { ordered } from "../../src/cli/annotate/ordered.ts";
import { jsonText } from "../../src/cli/annotate/parquet-values.ts";
import { withField, type Row } from "../../src/cli/annotate/rows.ts";
import { annotateRows, type Work } from "../../src/cli/annotate/work.ts";
import { RootstockError } from "../../src/index.ts";

async function* from<T>(items: readonly T[], error?: Error): AsyncGenerator<T> {
  yield* items;
  if (error !== undefined) throw error;
}

async function collect<T>(source: AsyncIterable<T>): Promise<{ items: T[]; error: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of source) items.push(item);
  } catch (error) {
    return { items, error };
  }
  return { items, error: null };
}

describe("ordered", () => {
  it("gives results in the order of the items, whatever order the work ends in, with no more under way than allowed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(30), fc.integer({ min: 1, max: 6 }), async (scheduler, count, limit) => {
        let open = 0;
        let most = 0;
        const work = async (item: number): Promise<number> => {
          most = Math.max(most, ++open);
          await scheduler.schedule(Promise.resolve());
          return item * 2;
        };
        const read = async (): Promise<number[]> => {
          const results: number[] = [];
          for await (const result of ordered(from(Array.from({ length: count }, (_, index) => index)), limit, work)) {
            await scheduler.schedule(Promise.resolve()); // a slow reader
            open--;
            results.push(result);
          }
          return results;
        };
        const results = await scheduler.waitFor(read());
        expect(results).toEqual(Array.from({ length: count }, (_, index) => index * 2));
        // One may be started while the reader holds the one that was handed to it.
        expect(most).toBeLessThanOrEqual(limit + 1);
      }),
    );
  });

  it("hands on all that is before an error of the work or of the source, and then the error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(20), fc.nat(25), fc.integer({ min: 1, max: 5 }), async (scheduler, count, wrong, limit) => {
        const atEnd = new Error("source");
        const inWork = new Error("work");
        const work = async (item: number): Promise<number> => {
          await scheduler.schedule(Promise.resolve());
          if (item === wrong) throw inWork;
          return item;
        };
        const items = Array.from({ length: count }, (_, index) => index);
        const found = await scheduler.waitFor(collect(ordered(from(items, atEnd), limit, work)));
        expect(found).toEqual({ items: items.slice(0, wrong), error: wrong < count ? inWork : atEnd });
      }),
    );
  });

  it("closes its source when the reader goes away", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        closed = true;
      }
    }
    for await (const item of ordered(source(), 3, async (n) => n)) if (item === 5) break;
    expect(closed).toBe(true);
  });

  it("hands a result on while the source waits for its next item", async () => {
    let end = (): void => undefined;
    async function* source(): AsyncGenerator<number> {
      yield 1;
      await new Promise<void>((resolve) => (end = resolve));
    }
    const results = ordered(source(), 3, async (n) => n);
    expect(await results.next()).toEqual({ done: false, value: 1 });
    end();
    expect((await results.next()).done).toBe(true);
  });
});

describe("chunks", () => {
  const row = (number: number, units = 1): Row => ({ number, line: null, units, read: () => ({ fields: "{}", content: { text: "" } }) });
  const rows = (count: number): Row[] => Array.from({ length: count }, (_, number) => row(number));

  it("take each row of a shard once, from a row on", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(90), { maxLength: 8 }), fc.integer({ min: 1, max: 5 }), fc.nat(4), fc.nat(200), fc.boolean(), async (sizes, count, shard, first, eager) => {
        const index = shard % count;
        const all = rows(sizes.reduce((sum, size) => sum + size, 0));
        let at = 0;
        const portions = sizes.map((size) => all.slice(at, (at += size)));
        const { items } = await collect(chunks(from(portions), { from: first, shard: { index, count }, eager }));
        for (const chunk of items) expect(chunk.length).toBeLessThanOrEqual(64);
        expect(items.flat()).toEqual(all.filter(({ number }) => number >= first && number % count === index));
      }),
    );
  });

  it("are small where rows are long", async () => {
    const { items } = await collect(chunks(from([[row(0, 9e6), row(1, 1e6), row(2, 3e6), row(3)]]), { from: 0, shard: { index: 0, count: 1 }, eager: false }));
    expect(items.map((chunk) => chunk.length)).toEqual([1, 2, 1]);
  });
});

describe("a checkpoint", () => {
  const identities = fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), { maxLength: 5 }).map((pairs) => new Map(pairs));
  const checkpoints: fc.Arbitrary<Checkpoint> = fc.record({
    next: fc.maxSafeNat(), good: fc.maxSafeNat(), bad: fc.maxSafeNat(), bytes: fc.maxSafeNat(), finished: fc.boolean(), identity: identities,
    errors: fc.option(fc.record({ path: fc.string({ maxLength: 40 }), bytes: fc.maxSafeNat() })),
  }); // prettier-ignore

  it("is read as it was written", () => {
    fc.assert(fc.property(checkpoints, (checkpoint) => void expect(parseCheckpoint(Buffer.from(checkpointText(checkpoint)), "here")).toEqual(checkpoint)));
  });

  it("that is damaged in any way is refused, and never read as another", () => {
    const damage = fc.oneof(
      fc.record({ kind: fc.constant("cut"), at: fc.nat(), byte: fc.nat(255) }),
      fc.record({ kind: fc.constant("change"), at: fc.nat(), byte: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ kind: fc.constant("insert"), at: fc.nat(), byte: fc.nat(255) }),
      fc.record({ kind: fc.constant("zero"), at: fc.nat(), byte: fc.nat(255) }),
    );
    fc.assert(
      fc.property(checkpoints, damage, (checkpoint, { kind, at, byte }) => {
        const bytes = Buffer.from(checkpointText(checkpoint));
        const place = at % bytes.length;
        const changed = Buffer.from(bytes);
        if (kind === "change") changed[place]! ^= byte;
        if (kind === "zero") changed.fill(0, place);
        const damaged = kind === "cut" ? bytes.subarray(0, place) : kind === "insert" ? Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place)]) : changed;
        if (damaged.equals(bytes)) return;
        expect(() => parseCheckpoint(damaged, "here")).toThrow(expect.objectContaining({ code: "digest-mismatch" }) as Error);
      }),
      { numRuns: 2000 },
    );
  });

  it("of a newer format, or of another shape under a right digest, is refused", async () => {
    const { createHash } = await import("node:crypto");
    const signed = (line: string): Buffer => Buffer.from(`${line}\n${createHash("sha256").update(line).digest("hex")}\n`);
    const [line] = checkpointText({ next: 1, good: 1, bad: 0, bytes: 5, errors: null, finished: false, identity: new Map() }).split("\n");
    const codeOf = (text: string): string => {
      try {
        parseCheckpoint(signed(text), "here");
        return "read";
      } catch (error) {
        return (error as RootstockError).code;
      }
    };
    expect(codeOf(line!)).toBe("read");
    expect(codeOf(line!.replace('"format":1', '"format":2'))).toBe("format-version");
    for (const [before, after] of [['"next":1', '"next":-1'], ['"bytes":5', '"bytes":"5"'], ['"finished":false', '"finished":0'], ['"identity":[]', '"identity":[["a"]]'], ['"errors":null', '"errors":5']]) {
      expect(codeOf(line!.replace(before!, after!))).toBe("json-invalid");
    }
  });
});

describe("records of CSV", () => {
  const split = (text: string, sizes: readonly number[], limit?: number): string[] => {
    const records = new CsvRecords(",", limit);
    const found = [];
    let at = 0;
    for (const size of sizes) found.push(...records.push(text.slice(at, (at += size))));
    found.push(...records.push(text.slice(at)), ...records.end());
    return found.map(({ line, text: record, tooLong }) => `${line}:${tooLong ? "too long" : record}`);
  };

  it("are those that csv-parse finds in the whole file, wherever the pieces end", () => {
    const value = fc.string({ unit: fc.constantFrom("a", "é", "😀", " ", ",", '"', "\n", "\r\n"), minLength: 1, maxLength: 6 });
    const table = fc.array(fc.array(value, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), fc.array(fc.nat(9)), (rows, end, sizes) => {
        const text = rows.map((row) => row.map((field) => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",")).join(end);
        const options = { record_delimiter: ["\r\n", "\n"], relax_column_count: true };
        const found = split(text, sizes);
        expect(found.map((record) => parse(record.replace(/^\d+:/, ""), options)[0])).toEqual(parse(text, options));
        const lines = rows.map((_, index) => 1 + (rows.slice(0, index).flat().join("").match(/\n/g)?.length ?? 0) + index);
        expect(found.map((record) => Number(/^\d+/.exec(record)![0]))).toEqual(lines);
      }),
    );
  });

  it("do not depend on where the pieces end, whatever the text", () => {
    const text = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "bb"), maxLength: 60 });
    fc.assert(fc.property(text, fc.array(fc.integer({ min: 1, max: 9 })), (file, sizes) => void expect(split(file, sizes)).toEqual(split(file, []))), { numRuns: 1000 });
  });

  it("begin again behind a quote that is never closed", () => {
    expect(split('a,b\n1,"x\n2,y\n3,z', [])).toEqual(["1:a,b", '2:1,"x', "3:2,y", "4:3,z"]);
    expect(split('1,"x\n2,"y\n3,"z"\n', [])).toEqual(['1:1,"x', '2:2,"y', '3:3,"z"']);
    // Not up to the next quote either, which opens another field.
    expect(split(`a,b\n1,"x\n${"2,y\n".repeat(100)}3,"z w"\n4,v`, [7, 30])).toEqual(["1:a,b", '2:1,"x', ...Array.from({ length: 100 }, (_, i) => `${i + 3}:2,y`), '103:3,"z w"', "104:4,v"]);
    // What closes as it should is one record, with a CR behind it as well.
    expect(split('1,"x\ny"\r\n2,"x\ny",z\n', [])).toEqual(['1:1,"x\ny"', '3:2,"x\ny",z']);
    expect(split(`1,"x\n${"2,y\n".repeat(20)}`, [20, 20, 20], 30)).toHaveLength(21);
  });

  it("are what looking again behind each quote that is never closed gives", () => {
    // What stands behind a closing quote, and the end of a record.
    const fieldsEnd = /(?:[^",\n][^,\n]*|"(?:[^"]|"")*"(?!")([^,\n"][^,\n]*)?|)(?:,|(\n|$))/y;
    const again = (file: string): string[] => {
      const records: string[] = [];
      for (let from = 0; from < file.length; ) {
        fieldsEnd.lastIndex = from;
        let match = fieldsEnd.exec(file);
        const isBroken = (found: RegExpExecArray): boolean => found[1] !== undefined && file.slice(from, fieldsEnd.lastIndex - (found[2] ?? ",").length - found[1].length).includes("\n");
        while (match !== null && match[2] === undefined && !isBroken(match)) match = fieldsEnd.exec(file);
        if (match !== null && isBroken(match)) match = null;
        const lineEnd = `${file}\n`.indexOf("\n", from);
        const end = match === null ? lineEnd : fieldsEnd.lastIndex - match[2]!.length;
        const record = file.slice(from, end);
        if (!/^ *$/.test(record)) records.push(record);
        from = end + 1;
      }
      return records;
    };
    const text = fc.array(fc.constantFrom("a", ",", '"', "\n", "\n", '\n"'), { maxLength: 40 }).map((parts) => parts.join(""));
    fc.assert(fc.property(text, (file) => void expect(split(file, []).map((record) => record.replace(/^\d+:/, ""))).toEqual(again(file))), { numRuns: 2000 });
  });

  it("are found with each unit looked at once, however many quotes are never closed", () => {
    const charCodeAt = String.prototype.charCodeAt;
    const file = `text\n${'x",",\n'.repeat(2000)}`;
    for (const limit of [undefined, 1000]) {
      let looks = 0;
      String.prototype.charCodeAt = function (at) {
        looks++;
        return charCodeAt.call(this, at);
      };
      try {
        expect(split(file, Array<number>(file.length >> 8).fill(256), limit)).toHaveLength(2001);
      } finally {
        String.prototype.charCodeAt = charCodeAt;
      }
      expect(looks).toBeLessThan(file.length + 10);
    }
  });

  it("do not depend on where the pieces end either where some are too long", () => {
    const text = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "bb", '\n"'), maxLength: 60 });
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }));
    fc.assert(fc.property(text, sizes, fc.integer({ min: 1, max: 15 }), (file, cuts, limit) => void expect(split(file, cuts, limit)).toEqual(split(file, [], limit))), { numRuns: 3000 });
    // Its end is in the same piece, and in another one.
    for (const cuts of [[], [25], [50]]) expect(split(`${"x".repeat(21)}\n${"y".repeat(20)}\n`, cuts, 20)).toEqual(["1:too long", `2:${"y".repeat(20)}`]);
  });

  it("that are too long come out without their text, and the rest of their line is passed over", () => {
    expect(split(`a\n${"x".repeat(50)}\nb\n`, [10, 30, 10, 4], 20)).toEqual(["1:a", "2:too long", "3:b"]);
  });
});

describe("JSON text", () => {
  it("is parted into fields that say the same", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 2), (object, indent) => {
        const entries = Object.entries(object);
        const fields = jsonFields(JSON.stringify(object, null, indent));
        expect(fields.map(({ name }) => name)).toEqual(entries.map(([name]) => name));
        expect(fields.map(({ value }) => JSON.parse(value) as unknown)).toEqual(entries.map(([, value]) => JSON.parse(JSON.stringify(value)) as unknown));
      }),
    );
  });

  it("gets a field at its end", () => {
    expect(withField("{}", "a", "1")).toBe('{"a":1}');
    expect(withField(' {"b": 2 } ', 'a"', "[1]")).toBe(' {"b": 2,"a\\"":[1]}');
  });

  it("says values of Parquet", () => {
    const value = { a: 2n ** 63n, b: [undefined, NaN, 1.5], c: new Uint8Array([1]), d: new Date(0), e: new Float32Array([0.5]) };
    expect(jsonText(value)).toBe('{"a":9223372036854775808,"b":[null,null,1.5],"c":"AQ==","d":"1970-01-01T00:00:00.000Z","e":[0.5]}');
  });
});

describe("columns", () => {
  it.each<[string, string[]]>([
    ["string", ['"a"', "null", '"1"']],
    ["boolean", ["true", "false"]],
    ["integer", ["0", "-5", "9223372036854775807"]],
    ["double", ["1", "1.5", "-0"]],
    ["json", ["1", '"1"']],
    ["json", ["true", "1"]],
    ["json", ["9007199254740993", "1.5"]],
    ["json", ["9223372036854775808"]],
    ["json", ["1e400"]],
    ["json", ["[1]", "null"]],
  ])("are %s of %j", (type, values) => {
    const columns = new Columns();
    for (const value of values) columns.add("a", value);
    expect(columns.types().get("a")).toBe(type);
  });

  it("hold values as they are written, and null for what is not there", () => {
    expect(columnValue("integer", "9007199254740993")).toBe(9007199254740993n);
    expect(columnValue("double", "-0")).toBe(-0);
    expect(columnValue("json", '{"a": 1e400}')).toBe('{"a": 1e400}');
    expect([columnValue("json", "null"), columnValue("string", undefined)]).toEqual([null, null]);
  });

  it("have names that UTF-8 can say", () => {
    const columns = new Columns();
    columns.add("😀", "1");
    for (const name of ["\ud800", "a\udc00"]) {
      expect(() => columns.add(name, "1")).toThrow(expect.objectContaining({ code: "argument-invalid", message: expect.stringContaining(JSON.stringify(name)) as string }) as Error);
    }
  });

  it("are not too many", () => {
    const columns = new Columns();
    expect(() => Array.from({ length: 5000 }, (_, index) => columns.add(`f${index}`, "1"))).toThrow(expect.objectContaining({ code: "limit-exceeded" }) as Error);
  });
});

describe("annotateRows", () => {
  const row = (number: number): Row => ({ number, line: number + 1, units: 1, read: () => ({ fields: `{"n":${number}}`, content: { text: String(number) } }) });
  const rows = Array.from({ length: 64 }, (_, number) => row(number));
  const work = (runBatch: Work["runner"]["runBatch"]): Work => ({
    runner: { runBatch }, tasks: ["t"], options: {}, annotations: "a", where: ({ line }) => `line ${line}`,
  }); // prettier-ignore

  it("finds the wrong rows of a batch with few calls", async () => {
    let calls = 0;
    const outcomes = await annotateRows(rows, work(async (requests) => {
      calls++;
      const wrong = requests.find(({ text }) => text === "9" || text === "40");
      if (wrong !== undefined) throw new RootstockError("text-too-long", "too long");
      return requests.map(() => ({ t: [] }));
    })); // prettier-ignore
    expect(outcomes.map(({ row: { number } }) => number)).toEqual(rows.map(({ number }) => number));
    const wrong = outcomes.filter((outcome) => "error" in outcome);
    expect(wrong.map(({ row: { number }, error }) => `${number} ${error.code} ${error.message}`)).toEqual(["9 text-too-long line 10: too long", "40 text-too-long line 41: too long"]);
    expect(calls).toBeLessThanOrEqual(26);
  });

  it("tries a batch once more whose worker was lost, and no error that is not about a row", async () => {
    let calls = 0;
    const lost = work(async (requests) => {
      if (calls++ === 0) throw new RootstockError("worker-lost", "lost");
      return requests.map(() => ({ t: [] }));
    });
    expect(await annotateRows(rows, lost)).toHaveLength(64);
    expect(calls).toBe(2);
    const fault = work(async () => {
      calls++;
      throw new RootstockError("engine-fault", "stopped");
    });
    await expect(annotateRows(rows, fault)).rejects.toMatchObject({ code: "engine-fault" });
    expect(calls).toBe(3);
  });
});

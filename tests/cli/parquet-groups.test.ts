import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, expect, it } from "vitest";
import { journalToParquet } from "../../src/cli/annotate/journal-to-parquet.ts";

const folder = mkdtempSync(join(tmpdir(), "rootstock-groups-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Made {
  /** Rows of each row group. */
  readonly groups: readonly number[];
  readonly rows: Record<string, unknown>[];
  /** What `onRows` was told. */
  readonly told: readonly number[];
}

async function parquetOf(lines: readonly object[]): Promise<Made> {
  const [journal, path, told] = [join(folder, "journal"), join(folder, "rows.parquet"), [] as number[]];
  writeFileSync(journal, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const tasks = [{ name: "kind", kind: "sequence" }, { name: "names", kind: "token" }] as const;
  await journalToParquet(journal, path, { tasks, annotations: "annotations", prefix: "", signal: new AbortController().signal, onRows: (rows) => told.push(rows) });
  const file = await asyncBufferFromFile(path);
  const { row_groups } = await parquetMetadataAsync(file);
  return { groups: row_groups.map(({ num_rows }) => Number(num_rows)), rows: await parquetReadObjects({ file }), told };
}

const annotations = (n: number): object => ({ kind: [{ label: `l${n % 7}`, score: n }], names: [] });

it("a Parquet file of more rows than a group of 16,384 holds has all of them, in their order", async () => {
  const count = 2 * 16_384 + 1;
  // A column that no row of the first group has.
  const more = (n: number): object => (n === 20_000 ? { late: "x" } : {});
  const { groups, rows, told } = await parquetOf(Array.from({ length: count }, (_, n) => ({ n, ...more(n), annotations: annotations(n) })));
  expect(groups).toEqual([16_384, 16_384, 1]);
  expect(told).toEqual([16_384, 32_768]);
  expect(rows).toHaveLength(count);
  const wanted = (n: number): object => ({ n: BigInt(n), late: n === 20_000 ? "x" : null, kind: [{ label: `l${n % 7}`, score: n }], kind_label: `l${n % 7}`, kind_score: n, names: [] });
  expect(rows.findIndex((row, n) => row["n"] !== BigInt(n) || row["kind_score"] !== n)).toBe(-1);
  for (const n of [0, 16_383, 16_384, 20_000, 32_767, 32_768]) expect(rows[n]).toEqual(wanted(n));
});

it("a Parquet file of as many rows as a group holds has one group", async () => {
  const { groups, rows } = await parquetOf(Array.from({ length: 16_384 }, (_, n) => ({ n, annotations: annotations(n) })));
  expect([groups, rows.length]).toEqual([[16_384], 16_384]);
});

it("a row group of a Parquet file ends where its lines have 16 million characters", async () => {
  const { groups, rows } = await parquetOf(Array.from({ length: 6 }, (_, n) => ({ n, text: String(n).repeat(4_000_000), annotations: annotations(n) })));
  expect(groups).toEqual([4, 2]);
  expect(rows.map(({ n, text }) => [n, (text as string).length, (text as string)[0]])).toEqual(Array.from({ length: 6 }, (_, n) => [BigInt(n), 4_000_000, String(n)]));
});

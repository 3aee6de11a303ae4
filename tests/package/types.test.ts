import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";

const DIRECTORY = `.types-${process.pid}`;
const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, string | { types?: string }> };
const entries = Object.entries(exports).filter(([, entry]) => typeof entry !== "string" && entry.types !== undefined).map(([name]) => name.replace(".", "rootstock"));

const PROGRAM = `${entries.map((name, i) => `import * as entry${i} from "${name}";`).join("\n")}
export const entries: object[] = [${entries.map((_, i) => `entry${i}`).join(", ")}];
import { loadEncoder, type LoadOptions } from "rootstock";
import { loadPool } from "rootstock/pool";
import fixed from "rootstock/fixed.wasm";
export const options: LoadOptions = { wasm: { fixed, relaxed: new Uint8Array(8) } };
export async function use(): Promise<number> {
  const unsure: { readonly signal?: AbortSignal | undefined; readonly topK?: number | undefined } = {};
  using encoder = await loadEncoder("model", { ...options, signal: unsure.signal, onProgress: undefined });
  await encoder.run("text", ["people"], { topK: unsure.topK, signal: unsure.signal, aggregation: undefined });
  await encoder.addAdapter("people", "folder", { labels: undefined, signal: unsure.signal });
  using pool = await loadPool("model", { workers: 2, signal: unsure.signal });
  return encoder.info.hidden + pool.info.workers;
}
`;

beforeAll(() => {
  mkdirSync(DIRECTORY);
  writeFileSync(`${DIRECTORY}/program.ts`, PROGRAM);
});

afterAll(() => rmSync(DIRECTORY, { recursive: true, force: true }));

it.each([
  ["a page's: DOM's types, not Node's", "es2022,dom", ""],
  ["Node's: its types, not DOM's", "es2022", "node"],
])("every entry has types that need no others: %s, with its declarations checked", (_, lib, types) => {
  expect(entries.length).toBe(11);
  const flags = ["--noEmit", "--ignoreConfig", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2022", "--module", "nodenext"];
  const { stdout, status } = spawnSync("node_modules/.bin/tsc", [...flags, "--lib", lib, "--types", types, `${DIRECTORY}/program.ts`], { encoding: "utf8" });
  // Node's own types are not all without fault for every TypeScript.
  expect(stdout.split("\n").filter((line) => line.includes("error") && !line.includes("@types/node"))).toEqual([]);
  expect(status === 0).toBe(!stdout.includes("error"));
});

it("nothing that is marked as internal is declared", () => {
  const declared = ["runtime/encoder", "runtime/trunk", "pool/pool", "pool/load", "finetune/trained-adapter"].map((file) => readFileSync(`dist/${file}.d.ts`, "utf8")).join("");
  expect(declared).not.toMatch(/@internal|\b(constructor|get loaded|states|between|isLost|loadPoolOf)\(/);
});

import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { isNode, nodesOf, parseModule } from "./syntax.ts";

/** One entry of the last column of ARCHITECTURE.md's table. */
interface Permit {
  /** A room or an entry ("run", "index"), or in backticks a file or package; with "…" the beginning of its name. */
  readonly name: string;
  readonly isOfTypes: boolean;
  /** The one file of the room that may use it. */
  readonly user: string | null;
}

interface Import {
  readonly from: string;
  /** A file ("run/pass.ts" of src/, "build/wasm/inline.js" of the repository), or a module's name. */
  readonly to: string;
  /** Gone from what is built. */
  readonly isOfTypes: boolean;
}

/** "types of a and b; c, `d` (`e.ts` alone)" */
function permitsOf(cell: string): Permit[] {
  if (cell === "nothing") return [];
  return cell.split("; ").flatMap((group) => {
    const [, types, names, user] = /^(types of )?(.*?)(?: \(`([^`]*)` alone\))?$/.exec(group)!;
    return names!.split(/, | and /).map((name) => ({ name, isOfTypes: types !== undefined, user: user ?? null }));
  });
}

/** From a row's first column, "folder/" or "a.ts, b.ts", to what its last one permits. */
function readTable(page: string): Map<string, Permit[]> {
  const [, , ...rows] = page.split("## Rooms of `src/`")[1]!.split("\n## ")[0]!.split("\n").filter((line) => line.startsWith("| "));
  return new Map(rows.map((row) => {
    const [room, , permits] = row.slice(2, -2).split(" | ");
    return [room!.replaceAll("`", ""), permitsOf(permits!)] as const;
  }));
}

const table = readTable(readFileSync("ARCHITECTURE.md", "utf8"));
const FOR_ALL = "errors.ts, limits.ts, own-options.ts, packed-error.ts";

/** The row of a file: the one that names it or its innermost folder. */
function roomOf(file: string): string | null {
  const isIn = (name: string): boolean => name === file || (name.endsWith("/") && file.startsWith(name));
  const rooms = [...table.keys()].filter((room) => room.split(", ").some(isIn));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? null;
}

function importsOf(from: string, code: string): Import[] {
  return [...nodesOf(parseModule(code, "ts"))].flatMap((node) => {
    const source = /^((Import|Export)\w*Declaration|ImportExpression|TSImportType)$/.test(node.type) ? node["source"] : null;
    if (!isNode(source)) return [];
    const name = source.type === "Literal" ? String(source["value"]) : "a computed name";
    // `import { type A }` is none of them: what is built still imports the module.
    const isOfTypes = node.type === "TSImportType" || node["importKind"] === "type" || node["exportKind"] === "type";
    return [{ from, to: name.startsWith(".") ? posix.join("src", posix.dirname(from), name).replace(/^src\//, "") : name, isOfTypes }];
  });
}

function names({ name }: Permit, to: string): boolean {
  const literal = /^`(.*?)(…?)`$/.exec(name);
  if (literal === null) return to === `${name}.ts` || roomOf(to) === `${name}/`;
  return literal[2] === "…" ? to.startsWith(literal[1]!) : to === literal[1] || to.startsWith(`${literal[1]}/`);
}

const permits = (permit: Permit, { from, to, isOfTypes }: Import): boolean =>
  names(permit, to) && (isOfTypes || !permit.isOfTypes) && (permit.user === null || from === `${roomOf(from)}${permit.user}`);

function isAllowed(one: Import): boolean {
  const [here, there] = [roomOf(one.from), roomOf(one.to)];
  if (here === null) return false;
  const isForAll = there === here || there === FOR_ALL || (one.isOfTypes && one.to.startsWith("node:"));
  return isForAll || table.get(here)!.some((permit) => permits(permit, one));
}

const breaches = (imports: readonly Import[]): string[] => imports.filter((one) => !isAllowed(one)).map(({ from, to }) => `${from}: ${to}`);

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).map((name) => name.replaceAll(sep, "/"));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join("src", file), "utf8")));

describe("the table of rooms in ARCHITECTURE.md", () => {
  it("has a row for every file", () => {
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((file) => roomOf(file) === null)).toEqual([]);
  });

  it("permits every import, those of types too", () => {
    expect(breaches(imports)).toEqual([]);
  });

  it("permits nothing that no file imports", () => {
    const unused = [...table].flatMap(([room, cell]) => cell.filter((permit) => !imports.some((one) => roomOf(one.from) === room && permits(permit, one))).map(({ name }) => `${room}: ${name}`));
    expect(unused).toEqual([]);
  });
});

describe("these checks", () => {
  it.each([
    ["run/pass.ts", 'import { a } from "../load/source.ts";', "load/source.ts"],
    ["run/pass.ts", 'import type { A } from "../load/source.ts";', "load/source.ts"],
    ["run/pass.ts", 'type A = import("../load/source.ts").A;', "load/source.ts"],
    ["run/deep/pass.ts", 'export * from "../../runtime/encoder.ts";', "runtime/encoder.ts"],
    ["run/pass.ts", 'const a = await import(name);', "a computed name"],
    ["run/pass.ts", 'import { a } from "../index.ts";', "index.ts"],
    // Of these the row permits types alone, whose import is gone from what is built.
    ["run/pass.ts", 'import { a } from "../heads/classify.ts";', "heads/classify.ts"],
    ["run/pass.ts", 'import { type A } from "../heads/classify.ts";', "heads/classify.ts"],
    ["load/source.ts", 'import fs from "node:fs";', "node:fs"],
    // A folder in a room that has a row of its own, and the other way round.
    ["finetune/run.ts", 'import { a } from "../train/parallel/peer.ts";', "train/parallel/peer.ts"],
    ["train/parallel/peer.ts", 'import { a } from "../../model/plan.ts";', "model/plan.ts"],
    // One file of a room, and not the others; for one file of a room, and not the others.
    ["finetune/run.ts", 'import { a } from "../convert/convert.ts";', "convert/convert.ts"],
    ["finetune/run.ts", 'import { a } from "../report/training-report.ts";', "report/training-report.ts"],
    ["new-room/a.ts", 'import { a } from "../errors.ts";', "errors.ts"],
  ])("refuse, in %s, %s", (from, code, to) => {
    expect(breaches(importsOf(from, code))).toEqual([`${from}: ${to}`]);
  });

  it.each([
    ["run/pass.ts", 'import type { A } from "../heads/classify.ts";'],
    ["run/pass.ts", 'import { a } from "../limits.ts"; import { b } from "./rows.ts"; import { c } from "../wasm/memory.ts";'],
    ["load/source.ts", 'import type fs from "node:fs"; type A = typeof import("node:os");'],
    ["cli/annotate/csv-rows.ts", 'import { parse } from "csv-parse/sync";'],
  ])("pass, in %s, %s", (from, code) => {
    expect(importsOf(from, code)).not.toEqual([]);
    expect(breaches(importsOf(from, code))).toEqual([]);
  });
});

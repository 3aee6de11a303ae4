import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeMakers, importsOf, moduleState, nodesOf, parseModule, topLevelAwaits, type Program } from "./syntax.ts";

/** The built core: all but the program, which is Node's own. */
const FILES = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js") && !name.startsWith("cli"));
const programs = new Map(FILES.map((name) => [name, parseModule(readFileSync(join("dist", name), "utf8"))]));

/** What a check finds in the core, as "file: what". */
function found(check: (program: Program) => readonly string[]): string[] {
  return [...programs].flatMap(([file, program]) => check(program).map((what) => `${file}: ${what}`));
}

describe("the built core", () => {
  it("is found", () => {
    expect(FILES).toEqual(expect.arrayContaining(["index.js", "inline.js", "workerd.js", join("runtime", "encoder.js")]));
  });

  it("makes no code of text", () => {
    expect(found(codeMakers)).toEqual([]);
  });

  it("imports statically: files of its own, its two libraries, and no module of Node", () => {
    const packages = found((program) => importsOf(program).filter((source) => !source.startsWith(".")));
    const isPool = (place: string): boolean => place.startsWith("pool");
    const isPlot = (place: string): boolean => place.startsWith(join("report", "terminal-plot.js"));
    const names = (places: string[]): Set<string> => new Set(places.map((place) => place.split(": ")[1]!));
    expect(names(packages.filter((place) => !isPool(place) && !isPlot(place)))).toEqual(new Set(["@assemblyscript/loader", "@huggingface/tokenizers"]));
    // What workers talk by and what draws on a terminal, and only where they are used.
    expect(names(packages.filter(isPlot))).toEqual(new Set(["simple-ascii-chart"]));
    for (const name of names(packages.filter(isPool))) expect(name).toBe("birpc");
  });

  it("waits for nothing while it is imported", () => {
    expect(found((program) => (topLevelAwaits(program) > 0 ? ["await"] : []))).toEqual([]);
  });

  it("names no host: no CDN, no default place on the network", () => {
    const strings = (program: Program): string[] =>
      [...nodesOf(program)].flatMap((node) => {
        const text = node.type === "TemplateElement" ? (node["value"] as { cooked: string }).cooked : node.type === "Literal" ? node["value"] : null;
        return typeof text === "string" && /https?:\/\/|\bcdn\b/.test(text) ? [text] : [];
      });
    // The base of paths in a Workers binding, which is looked up nowhere (".invalid" is reserved for that).
    expect(found(strings)).toEqual([`${join("load", "asset-source.js")}: https://assets.invalid/`]);
  });

  it("keeps nothing in a module that could change", () => {
    expect(found(moduleState)).toEqual([]);
  });
});

describe("these checks", () => {
  it("see what they are to find", () => {
    const bad = parseModule(`
      import fs from "node:fs";
      export let count = 0;
      const cache = new Map();
      export const list = [];
      const settings = { deep: { on: false } };
      export function f(key) { cache.set(key, 1); list.push(2); settings.deep.on = true; delete settings.deep; count++; eval("1"); return new Function("2"); }
      export const lazy = () => import("./x.js");
      await f(1);
    `);
    expect(moduleState(bad)).toEqual(["let", "cache.set()", "list.push()", "settings = …", "delete settings…", "count++"]);
    expect(codeMakers(bad)).toEqual(["eval", "Function"]);
    expect(importsOf(bad)).toEqual(["node:fs", "import()"]);
    expect(topLevelAwaits(bad)).toBe(1);
  });
});

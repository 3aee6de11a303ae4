import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { fillMarks, markdownTable } = await benchModule("marked");
const { conflictPlot } = await benchModule("conflict-plot");
const { int8Table } = await benchModule("run-tables");

const PAGE = "before\n\n<!-- mtpf:one -->\nold\nlines\n<!-- /mtpf:one -->\n\nbetween\n\n<!-- mtpf:two -->\n<!-- /mtpf:two -->\nafter\n";

test("what lies between marks is made anew, all else stays", () => {
  const filled = fillMarks(PAGE, new Map([["one", ["x", "$& $1"]], ["two", ["y"]]]));
  expect(filled).toBe("before\n\n<!-- mtpf:one -->\nx\n$& $1\n<!-- /mtpf:one -->\n\nbetween\n\n<!-- mtpf:two -->\ny\n<!-- /mtpf:two -->\nafter\n");
  expect(fillMarks(filled, new Map([["one", ["x", "$& $1"]], ["two", ["y"]]]))).toBe(filled);
});

test("marks without a part, parts without marks, and marks without their end are refused", () => {
  expect(() => fillMarks(PAGE, new Map([["one", []]]))).toThrow("a mark two");
  expect(() => fillMarks(PAGE, new Map([["one", []], ["two", []], ["three", []]]))).toThrow("no marks for three");
  expect(() => fillMarks("<!-- mtpf:one -->\n<!-- /mtpf:two -->\n", new Map())).toThrow("ends at two");
});

test("tables have a line for heads and one for sides", () => {
  expect(markdownTable(["a", "b"], [["1", 2]])).toEqual(["| a | b |", "| --- | ---: |", "| 1 | 2 |"]);
});

test("the drawing is well-formed, without a NaN, and names every part and regime", () => {
  const parts = ["embeddings", "layer 0", "layer 1"].map((part, i) => ({ part, cosine: i * 0.01 - 0.01, spread: 0.02, ratio: 0.2 + i / 10 }));
  const svg: string = conflictPlot([{ name: "naive", parts }, { name: "task-primary & <more>", parts }]);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  for (const name of ["embeddings", "layer 1", "naive", "task-primary &amp; &lt;more>"]) expect(svg).toContain(name);
  const opened = [...svg.matchAll(/<([a-z]+)\b[^>]*?(\/?)>/g)].filter(([, , closed]) => closed === "").map(([, name]) => name);
  const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name);
  expect(opened.sort()).toEqual(closed.sort());
  expect(svg).toContain("prefers-color-scheme:dark");
});

test("figures of int8 are of the encoder that ships, or none", () => {
  const check = { encoder: "a", adapter: "x", task: "t", rows: 10, float32: 0.5, int8: 0.4975, agree: 0.9 };
  expect(int8Table([check], "a").slice(2)).toEqual(["| x | t | 10 | 50.0 | 49.8 | −0.25 | 90.0 % |", "| **mean** |  |  |  |  | **−0.25** |  |"]);
  expect(() => int8Table([check, { ...check, encoder: "b" }], "a")).toThrow("x on another encoder");
  expect(int8Table(null, "a")).toEqual(["Not measured: `node bench/mtpf/int8.mjs` writes it."]);
});

test("docs/mtpf-tpl.md is what the written results give", () => {
  const { status, stderr } = spawnSync(process.execPath, ["bench/mtpf/report.mjs", "--check"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test("README's figures of the regimes are those of docs/mtpf-tpl.md", () => {
  const [readme, page] = ["README.md", "docs/mtpf-tpl.md"].map((path) => readFileSync(path, "utf8")) as [string, string];
  const cells = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.replace(/\*\*/g, "").trim());
  const table = (text: string, before: string) => text.split(`${before}\n`)[1]!.split("\n\n")[0]!.split("\n").map(cells);
  const means = (protocol: string, share: number, regime: string, names = ["NER mean", "TC mean"]) => {
    const [head, ...rows] = table(page, `<!-- mtpf:${protocol}-${share} -->`);
    return names.map((name) => rows.find(([first]) => first === name)![head!.indexOf(regime)]!);
  };
  const [, ...rows] = table(readme, "| | entities | 10 % of the rows | classification | 10 % |");
  const regimes = ["none", "naive", "naive-weighted", "task-primary", "shipped"].map((regime) => {
    const [all, tenth] = [100, 10].map((share) => means("linear", share, regime)) as [string[], string[]];
    return [all[0], tenth[0], all[1], tenth[1]];
  });
  expect(rows.map(([, ...figures]) => figures)).toEqual(regimes);
  const unmet = (share: number) => ["none", "naive", "naive-weighted", "task-primary", "shipped"].flatMap((regime) => means("linear", share, regime, ["TC without hwu64, wordnet_supersense"]));
  const inWords = (figures: readonly string[]) => `${figures.slice(0, -1).join(", ")} and ${figures.at(-1)}`;
  expect(readme).toContain(`without them the five rows have ${inWords(unmet(100))} (10 %: ${inWords(unmet(10))})`);
  const [[ner, tc], [bareNer, bareTc]] = ["shipped", "none"].map((regime) => means("lora", 10, regime)) as [string[], string[]];
  expect(readme).toContain(`score ${ner} (entities) and ${tc} (classification) on what ships; ${bareNer} and ${bareTc} on the encoder`);
  const [whole, bare] = ["task-primary", "none"].map((regime) => means("lora", 100, regime).join(" and "));
  expect(readme).toContain(`On all rows: ${whole} with a group for each family, by the fourth row of the table; ${bare} on the encoder as it comes`);
});

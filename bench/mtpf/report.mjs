// Writes the tables of docs/mtpf-tpl.md, between their marks, and the drawing beside it, from the results that run.mjs and int8.mjs wrote.
//
//   node bench/mtpf/report.mjs [--results bench/mtpf/results] [--page docs/mtpf-tpl.md] [--plot docs/mtpf-conflict.svg]
//   … --check     writes nothing, and fails where the page is not what the results give
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { pooledConflict, WHOLE_BACKBONE } from "./conflict.mjs";
import { conflictPlot } from "./conflict-plot.mjs";
import { conflictTable } from "./conflict-table.mjs";
import { REGIMES } from "./figures.mjs";
import { fillMarks } from "./marked.mjs";
import { readAllResults } from "./results.mjs";
import { costTable, int8Table } from "./run-tables.mjs";
import { resultTables } from "./tables.mjs";

const { values } = parseArgs({
  options: {
    results: { type: "string", default: "bench/mtpf/results" },
    page: { type: "string", default: "docs/mtpf-tpl.md" },
    plot: { type: "string", default: "docs/mtpf-conflict.svg" },
    check: { type: "boolean", default: false },
  },
});

/** Regimes whose backbone both losses reach, layer by layer; probes of single batches. */
function conflictSeries(results) {
  const rows = pooledConflict(results).filter(({ batches, part }) => batches === 1 && part !== WHOLE_BACKBONE);
  return REGIMES.map((name) => ({ name, parts: rows.filter(({ regime }) => regime === name) })).filter(({ parts }) => parts.length > 0);
}

const results = readAllResults(values.results);
if (results.length === 0) throw new Error(`${values.results} has no results; node bench/mtpf/run.mjs makes them`);
const order = (name) => (REGIMES.includes(name) ? REGIMES.indexOf(name) : REGIMES.length);
results.sort((a, b) => order(a.header.regime) - order(b.header.regime) || (a.header.seed ?? 0) - (b.header.seed ?? 0));
const series = conflictSeries(results);
const drawing = series.length === 0 ? [] : [`![The two gradients along the backbone, by regime](${basename(values.plot)})`, ""];
const checks = `${values.results}/int8.json`;
const parts = new Map([
  ...resultTables(results, Object.entries(results[0].header.tasks)),
  ["cost", costTable(results)],
  ["conflict", [...drawing, ...conflictTable(results)]],
  ["int8", int8Table(existsSync(checks) ? JSON.parse(readFileSync(checks, "utf8")) : null, results.find(({ header }) => header.regime === "shipped")?.header.int8)],
]);
const page = readFileSync(values.page, "utf8");
const filled = fillMarks(page, parts);
if (values.check) {
  if (filled !== page) throw new Error(`${values.page} is not what the results give: node bench/mtpf/report.mjs writes it`);
} else {
  writeFileSync(values.page, filled);
  if (series.length > 0) writeFileSync(values.plot, conflictPlot(series));
}

// The tables of docs/mtpf-tpl.md.
import { LORA_REGIMES, SHARES } from "./cells.mjs";
import { ABLATIONS, commonTasks, difference, familyMeans, figuresOf, REGIMES } from "./figures.mjs";
import { markdownTable } from "./marked.mjs";
import { deviation, mean } from "./statistics.mjs";

const FAMILIES = [["NER", "ner"], ["TC", "tc"]];
/** Pairs whose difference says something of the method: [a, b, family]. */
const PAIRS = [
  ["task-primary", "naive", "ner"], ["task-primary", "naive-weighted", "ner"], ["task-primary", "ner-only", "ner"], ["task-primary", "groups-only", "ner"], ["naive", "ner-only", "ner"],
  ["task-primary", "naive", "tc"], ["task-primary", "tc-only", "tc"], ["task-primary", "groups-only", "tc"], ["naive", "tc-only", "tc"], ["ner-only", "none", "tc"],
];
/** Gains that arXiv 2510.07566 names, relative: its abstract's, and that of a tenth of the training data (of F1). */
const PAPER = { "ner 100": "+0.8 %", "tc 100": "+8.8 %", "ner 10": "+8.4 %", "tc 10": "not given" };

/** Tasks whose training rows are among the pre-finetuning data (no dev or test row is). */
const MET_BEFORE = ["hwu64", "wordnet_supersense"];

const points = (value) => (100 * value).toFixed(1);
const signed = (value, digits = 1) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
const within = ([low, high]) => `[${signed(100 * low)}, ${signed(100 * high)}]`;

/**
 * @param results of all runs
 * @param {[string, "ner" | "tc"][]} tasks
 * @returns {Map<string, string[]>} lines by the names of their marks
 */
export function resultTables(results, tasks) {
  const parts = new Map();
  for (const protocol of ["linear", "lora"]) {
    const regimes = protocol === "linear" ? REGIMES : LORA_REGIMES;
    for (const share of SHARES) parts.set(`${protocol}-${share}`, taskTable(results, regimes, protocol, share, tasks));
  }
  parts.set("families", familyTable(results, tasks));
  parts.set("differences", differenceTable(results, tasks));
  parts.set("paper", paperTable(results, tasks));
  parts.set("ablations", ablationTable(results, tasks));
  return parts;
}

function measured(results, regimes, protocol, share, tasks) {
  const names = tasks.map(([name]) => name);
  return new Map(regimes.map((regime) => [regime, figuresOf(results, regime, protocol, share, names)]).filter(([, figures]) => figures !== null));
}

function taskTable(results, regimes, protocol, share, tasks) {
  const figures = measured(results, regimes, protocol, share, tasks);
  if (figures.size === 0) return [`No cells of the protocol "${protocol}" at ${share} % are written.`];
  const cell = (value) => (value === undefined ? "" : points(value.metric));
  const rows = FAMILIES.flatMap(([title, family]) => {
    const own = tasks.filter(([, kind]) => kind === family).map(([name]) => name);
    const all = [...figures.values()];
    const average = (list) => (one) => (list.every((task) => one.tasks.has(task)) ? `**${points(mean(list.map((task) => one.tasks.get(task).metric)))}**` : "");
    const unmet = own.filter((task) => !MET_BEFORE.includes(task));
    const means = [[`**${title} mean**`, own], ...(unmet.length === own.length || unmet.length === 0 ? [] : [[`**without ${MET_BEFORE.join(", ")}**`, unmet]])];
    return [...own.map((task) => [task, ...all.map((one) => cell(one.tasks.get(task)))]), ...means.map(([name, list]) => [name, ...all.map(average(list))])];
  });
  return markdownTable(["task", ...figures.keys()], rows);
}

/** Calls `use` for each protocol, share and family with the means over it. */
function eachFamily(results, tasks, use) {
  for (const protocol of ["linear", "lora"]) {
    for (const share of SHARES) {
      const figures = measured(results, protocol === "linear" ? REGIMES : LORA_REGIMES, protocol, share, tasks);
      for (const [title, family] of FAMILIES) {
        const means = figures.size === 0 ? null : familyMeans(figures, tasks.filter(([, kind]) => kind === family).map(([name]) => name));
        if (means !== null) use({ protocol, share, title, family, means });
      }
    }
  }
}

function familyTable(results, tasks) {
  const rows = [];
  eachFamily(results, tasks, ({ protocol, share, title, means }) => {
    const none = means.of.get("none");
    for (const [regime, own] of means.of) {
      const against = none === undefined || regime === "none" ? null : difference(own, none);
      const seeds = deviation(own.seeds);
      rows.push([
        `${title} (${means.tasks.length}), ${share} %, ${protocol}`, regime, points(own.mean), seeds === null ? `${own.seeds.length}` : `${own.seeds.length}, ±${points(seeds)}`,
        ...(against === null ? ["", ""] : [`${signed(100 * against.points)} ${within(against.interval)}`, `${signed(100 * against.relative)} %`]),
      ]);
    }
  });
  return markdownTable(["family (tasks), rows, protocol", "regime", "mean", "runs, sd", "against none [95 %]", "relative"], rows);
}

function differenceTable(results, tasks) {
  const rows = [];
  eachFamily(results, tasks, ({ protocol, share, title, family, means }) => {
    for (const [a, b, of] of PAIRS) {
      if (of !== family || !means.of.has(a) || !means.of.has(b)) continue;
      const { points: value, interval } = difference(means.of.get(a), means.of.get(b));
      rows.push([`${a} − ${b}`, title, `${share} %`, protocol, `${signed(100 * value)} ${within(interval)}`]);
    }
  });
  return rows.length === 0 ? ["Fewer than two regimes are written."] : markdownTable(["difference", "family", "rows", "protocol", "points [95 %]"], rows);
}

function paperTable(results, tasks) {
  const rows = [];
  eachFamily(results, tasks, ({ protocol, share, title, family, means }) => {
    const [own, none] = [means.of.get("task-primary"), means.of.get("none")];
    if (own === undefined || none === undefined) return;
    const { relative, points: value } = difference(own, none);
    rows.push([title, `${share} %`, protocol, `${signed(100 * relative)} %`, signed(100 * value), PAPER[`${family} ${share}`]]);
  });
  return rows.length === 0 ? ["No run of the regime task-primary is written."] : markdownTable(["family", "rows", "protocol", "task-primary against none, relative", "points", "the paper, relative"], rows);
}

/** Linear heads, all rows: means over the tasks that every configuration has, of dev, by which choices are made, and of test. */
function ablationTable(results, tasks) {
  const figures = measured(results, ABLATIONS.map(([name]) => name), "linear", 100, tasks);
  const families = FAMILIES.map(([, family]) => commonTasks(figures, tasks.filter(([, kind]) => kind === family).map(([name]) => name)));
  const rows = ABLATIONS.filter(([name]) => figures.has(name)).map(([name, what]) => {
    const own = figures.get(name);
    const means = families.flatMap((common) => ["dev", "test"].map((set) => points(mean(common.map((task) => mean(own.tasks.get(task).cells.map((cell) => cell[set])))))));
    return [name, what, own.runs.length, ...means];
  });
  return rows.length < 2 ? ["Fewer than two configurations are written."] : markdownTable(["configuration", "what it has", "runs", "NER dev", "NER test", "TC dev", "TC test"], rows);
}

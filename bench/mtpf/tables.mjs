// The tables of docs/mtpf-tpl.md that hold the regimes against each other.
import { ablationSections, ablationTable } from "./ablation-table.mjs";
import { SHARES } from "./cells.mjs";
import { whatDidNotWork } from "./did-not-work.mjs";
import { difference, REGIMES } from "./figures.mjs";
import { findings } from "./findings.mjs";
import { markdownTable } from "./marked.mjs";
import { paperTable } from "./paper-table.mjs";
import { runSoFar } from "./run-so-far.mjs";
import { meansOfTasks, sectionFor, sectionsOf, taskLists } from "./sections.mjs";
import { mean } from "./statistics.mjs";
import { bySeedText, droppedLines, points, seedsText, signed, signedPoints, within } from "./wording.mjs";

/** Pairs whose difference says something of the method: [a, b, family]. */
const PAIRS = [
  ["task-primary", "naive", "ner"], ["task-primary", "naive-weighted", "ner"], ["task-primary", "ner-only", "ner"], ["task-primary", "ner-only-long", "ner"], ["task-primary", "groups-only", "ner"], ["naive", "ner-only", "ner"],
  ["naive-weighted", "naive", "ner"], ["shipped", "task-primary", "ner"], ["shipped", "ner-only", "ner"], ["shipped", "ner-only-long", "ner"], ["shipped", "groups-only", "ner"],
  ["task-primary", "naive", "tc"], ["task-primary", "naive-weighted", "tc"], ["task-primary", "tc-only", "tc"], ["task-primary", "tc-only-long", "tc"], ["task-primary", "groups-only", "tc"], ["naive", "tc-only", "tc"], ["naive-weighted", "naive", "tc"],
  ["ner-only", "none", "tc"], ["shipped", "task-primary", "tc"], ["shipped", "tc-only", "tc"], ["shipped", "tc-only-long", "tc"], ["shipped", "groups-only", "tc"],
];

/**
 * @param results of all runs
 * @param {[string, "ner" | "tc"][]} tasks
 * @returns {Map<string, string[]>} lines by the names of their marks
 */
export function resultTables(results, tasks) {
  const sections = sectionsOf(results, tasks);
  const ablations = ablationSections(results, tasks);
  const of = (protocol, share) => sections.filter((section) => section.protocol === protocol && section.share === share);
  return new Map([
    ["run-so-far", runSoFar(results, tasks)],
    ["findings", findings(sections, ablations)],
    ...["linear", "lora"].flatMap((protocol) => SHARES.map((share) => [`${protocol}-${share}`, taskTable(protocol, share, of(protocol, share))])),
    ["families", familyTable(sections)],
    ["differences", differenceTable(sections)],
    ["protocols", protocolTable(sections)],
    ["paper", paperTable(sections)],
    ["ablations", ablationTable(ablations)],
    ["did-not-work", whatDidNotWork(sections, ablations, results)],
  ]);
}

function taskTable(protocol, share, sections) {
  const regimes = REGIMES.filter((regime) => sections.some(({ runs }) => runs.has(regime)));
  const notes = droppedLines(sections);
  if (regimes.length === 0) return [`No regime has all cells of the protocol "${protocol}" at ${share} %.`, ...notes];
  const rows = sections.filter(({ runs }) => runs.size > 0).flatMap((section) => {
    const { tasks, runs } = section;
    const metric = (run, task) => mean(run.tasks.get(task).map(({ test }) => test));
    const across = (list) => regimes.map((regime) => (runs.has(regime) ? points(mean(runs.get(regime).map((run) => mean(list.map((task) => metric(run, task)))))) : ""));
    const bold = (name, list) => [name, ...across(list)].map((text) => (text === "" ? "" : `**${text}**`));
    const [[title], ...others] = taskLists(section);
    return [...tasks.map((task) => [task, ...across([task])]), bold(`${title} mean`, tasks), ...others.map(([name, list]) => bold(name, list))];
  });
  return [...markdownTable(["task", ...regimes], rows), "", ...seedLines(regimes, sections), ...notes];
}

/** Which seeds a column is the mean of: once where both families have the same. */
function seedLines(regimes, sections) {
  const told = ({ runs }) => regimes.filter((regime) => runs.has(regime) && regime !== "none").map((regime) => `${regime} ${seedsText(runs.get(regime).map(({ seed }) => seed))}`).join("; ");
  const lines = sections.filter(({ runs }) => runs.size > 0).map((section) => [section.title, told(section)]).filter(([, text]) => text !== "");
  const isOne = new Set(lines.map(([, text]) => text)).size === 1;
  return (isOne ? [["", lines[0][1]]] : lines).map(([title, text]) => `Seeds that are averaged${title === "" ? "" : `, ${title}`}: ${text}.`);
}

const titleOf = ({ title, tasks, share, protocol }) => `${title} (${tasks.length}), ${share} %, ${protocol}`;

function familyTable(sections) {
  const rows = sections.flatMap((section) => [...section.means].map(([regime, own]) => {
    const none = section.means.get("none");
    const against = none === undefined || regime === "none" ? null : difference(own, none);
    return [
      titleOf(section), regime, points(own.mean), seedsText(own.seeds.keys()), bySeedText([...own.seeds.values()], (one) => points(one.mean)),
      ...(against === null ? ["", ""] : [`${signedPoints(against.points)} ${within(against.interval)}`, `${signed(100 * against.relative)} %`]),
    ];
  }));
  return rows.length === 0 ? ["No regime is whole."] : markdownTable(["family (tasks), rows, protocol", "regime", "mean", "seeds", "by seed", "against none [95 %]", "relative"], rows);
}

function differenceTable(sections) {
  const [rows, apart] = [[], []];
  for (const [section, title, list] of sections.flatMap((one) => taskLists(one).map(([name, tasks]) => [one, name, tasks]))) {
    const { protocol, share, family } = section;
    const means = meansOfTasks(section, list);
    for (const [a, b, of] of PAIRS) {
      if (of !== family || !means.has(a) || !means.has(b)) continue;
      const found = difference(means.get(a), means.get(b));
      if (found === null) apart.push(`${a} − ${b} (${title}, ${share} %, ${protocol})`);
      else rows.push([`${a} − ${b}`, title, `${share} %`, protocol, seedsText(found.seeds), `${signedPoints(found.points)} ${within(found.interval)}`, bySeedText(found.bySeed, signedPoints)]);
    }
  }
  const notes = apart.length === 0 ? [] : ["", `Without a seed in common, and so not compared: ${apart.join("; ")}.`];
  return rows.length === 0 ? ["Fewer than two regimes are written.", ...notes] : [...markdownTable(["difference", "family", "rows", "protocol", "seeds", "points [95 %]", "by seed"], rows), ...notes];
}

/** What fine-tuning leaves of the gains that linear heads show: both over the seeds that both have. */
function protocolTable(sections) {
  const rows = sections.filter(({ protocol }) => protocol === "lora").flatMap((lora) => {
    const linear = sectionFor(sections, "linear", lora.share, lora.family);
    return [...lora.means].filter(([regime]) => regime !== "none" && linear.means.has(regime)).flatMap(([regime, own]) => {
      const seeds = [...own.seeds.keys()].filter((seed) => linear.means.get(regime).seeds.has(seed));
      const gain = ({ means }) => {
        const [all, none] = [means.get(regime), means.get("none")];
        return none === undefined ? null : difference({ seeds: new Map(seeds.map((seed) => [seed, all.seeds.get(seed)])) }, none);
      };
      const gains = seeds.length === 0 ? [null] : [gain(linear), gain(lora)];
      if (gains.includes(null)) return [];
      return [[lora.title, `${lora.share} %`, regime, seedsText(seeds), ...gains.map(({ points: value, interval }) => `${signedPoints(value)} ${within(interval)}`)]];
    });
  });
  return rows.length === 0 ? ["No regime with LoRA cells has a seed in common with its linear cells."] : markdownTable(["family", "rows", "regime", "seeds", "linear, against none [95 %]", "lora, against none [95 %]"], rows);
}

// What the tables are made of: a section for each protocol, share and family, with the regimes that have it whole.
import { LORA_REGIMES, SHARES } from "./cells.mjs";
import { drawn, figuresOf, meansOver, REGIMES } from "./figures.mjs";

export const FAMILIES = [["NER", "ner"], ["TC", "tc"]];
/** Tasks whose training rows are among the pre-finetuning data (no dev or test row is). */
export const MET_BEFORE = ["hwu64", "wordnet_supersense"];

/**
 * @typedef {{ protocol: string, share: number, title: string, family: "ner" | "tc", tasks: string[], unmet: string[], runs: Map<string, object[]>,
 *   dropped: { name: string, has: number }[], drawn: object, means: Map<string, object> }} Section unmet: the tasks without those met before
 * @param {[string, "ner" | "tc"][]} tasks
 * @returns {Section[]}
 */
export function sectionsOf(results, tasks) {
  return ["linear", "lora"].flatMap((protocol) => SHARES.flatMap((share) => FAMILIES.map(([title, family]) => {
    const own = tasks.filter(([, kind]) => kind === family).map(([name]) => name);
    return { title, family, ...sectionOf(results, protocol === "linear" ? REGIMES : LORA_REGIMES, protocol, share, own) };
  })));
}

/** A section of regimes, or of other configurations, over given tasks. */
export function sectionOf(results, regimes, protocol, share, tasks) {
  const found = tasks.length === 0 ? [] : regimes.map((regime) => [regime, figuresOf(results, regime, protocol, share, tasks)]);
  const runs = new Map(found.filter(([, figures]) => figures.runs.length > 0).map(([regime, figures]) => [regime, figures.runs]));
  const draws = drawn(runs, tasks);
  return {
    protocol, share, tasks, unmet: tasks.filter((task) => !MET_BEFORE.includes(task)), runs,
    dropped: found.flatMap(([, figures]) => figures.dropped), drawn: draws, means: meansOver(draws, tasks),
  };
}

/** The lists of tasks that a section is told of, with their titles: all, and those not met before where these are fewer. @returns {[string, string[]][]} */
export function taskLists({ title, tasks, unmet }) {
  const isPart = unmet.length > 0 && unmet.length < tasks.length;
  return [[title, tasks], ...(isPart ? [[`${title} without ${MET_BEFORE.join(", ")}`, unmet]] : [])];
}

/** The section of a protocol, share and family, if there is one. @param {Section[]} sections */
export function sectionFor(sections, protocol, share, family) {
  return sections.find((one) => one.protocol === protocol && one.share === share && one.family === family);
}

/** Means of a section's regimes over some of its tasks. */
export function meansOfTasks(section, tasks) {
  return tasks === section.tasks ? section.means : meansOver(section.drawn, tasks);
}

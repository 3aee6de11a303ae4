// Sentences of docs/mtpf-tpl.md out of the results: a figure that is not there takes its sentence with it.
import { difference } from "./figures.mjs";
import { FAMILIES, meansOfTasks, sectionFor } from "./sections.mjs";
import { signedPoints, within } from "./wording.mjs";

/** @param {object} section @returns difference of two regimes, over all tasks of the section or some; null where one is not there */
export function gain(section, a, b, tasks = section.tasks) {
  const means = meansOfTasks(section, tasks);
  return means.has(a) && means.has(b) ? difference(means.get(a), means.get(b)) : null;
}

export const gainText = ({ points, interval }) => `${signedPoints(points)} ${within(interval)}`;

/** A section's gain in words; null where the section or one of the regimes is not there. */
function gainTextOf(section, a, b, tasksOf = ({ tasks }) => tasks) {
  const found = section === undefined ? null : gain(section, a, b, tasksOf(section));
  return found && gainText(found);
}

/** Gains in words, one for each family. @param {(family: "ner" | "tc") => object | undefined} sectionOf */
export const gainTextsByFamily = (sectionOf, a, b) => FAMILIES.map(([, family]) => gainTextOf(sectionOf(family), a, b));

/** Gains in words, one for each family, and TC's without the tasks met before. */
export const gainTextsWithUnmet = (sectionOf, a, b) => [...gainTextsByFamily(sectionOf, a, b), gainTextOf(sectionOf("tc"), a, b, ({ unmet }) => unmet)];

/**
 * The task without which a difference of two regimes' means changes most.
 * @returns {{ task: string, own: string, all: string, others: string } | null} its difference, that of all tasks and that of the others, in words; null for fewer than two tasks
 */
export function mostInfluential(section, a, b) {
  const whole = (section?.tasks.length ?? 0) < 2 ? null : gain(section, a, b);
  if (whole === null) return null;
  const single = section.tasks.map((task) => [task, gain(section, a, b, [task])]);
  const distance = ([, { points }]) => Math.abs(points - whole.points);
  const [task, own] = single.reduce((most, one) => (distance(one) > distance(most) ? one : most));
  return { task, own: gainText(own), all: gainText(whole), others: gainTextOf(section, a, b, ({ tasks }) => tasks.filter((name) => name !== task)) };
}

/** A gain of linear heads at all rows, and at 10 % where that is written. */
export function gainTextAtShares(sections, family, a, b, tasksOf) {
  const [whole, tenth] = [100, 10].map((share) => gainTextOf(sectionFor(sections, "linear", share, family), a, b, tasksOf));
  return whole === null ? null : `${whole}${tenth === null ? "" : ` (10 %: ${tenth})`}`;
}

/** @param {(string | null)[]} figures @param {(...figures: string[]) => string} write @returns {string | null} null where a figure is */
export const sentence = (figures, write) => (figures.includes(null) ? null : write(...figures));

/** A line of a list out of the sentences that are there; none where none is. @param {(string | null)[]} sentences @returns {string[]} */
export function item(head, sentences) {
  const whole = sentences.filter((text) => text !== null);
  return whole.length === 0 ? [] : [`- **${head}** ${whole.join(" ")}`];
}

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

// How figures are written in the tables and sentences of docs/mtpf-tpl.md.

export const points = (value) => (100 * value).toFixed(1);
/** A number with the sign that text has. */
export const minus = (text) => text.replace("-", "−");
/** A bound just below 0 keeps its sign: it says on which side 0 lies. */
export const signed = (value, digits = 1) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
export const signedPoints = (value) => signed(100 * value);
export const within = ([low, high]) => `[${signedPoints(low)}, ${signedPoints(high)}]`;

/** Seeds by their numbers; nothing of what has none. */
export const seedsText = (seeds) => [...seeds].filter((seed) => seed !== null).join(", ");
/** Values of several seeds; nothing of one. */
export const bySeedText = (values, write) => (values.length < 2 ? "" : values.map(write).join(", "));

/** A list in a sentence: "a, b and c". */
export const listed = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);

/** Runs that are in no mean, as lines under a table; none where all are whole. @param {{ title: string, dropped: { name: string, has: number }[] }[]} sections */
export function droppedLines(sections) {
  const left = sections.filter(({ dropped }) => dropped.length > 0).map(({ title, dropped }) =>
    `Left out of ${title}, not all of its cells being written: ${dropped.map(({ name, has }) => `${name} (tasks that are whole: ${has})`).join(", ")}.`);
  return left.length === 0 ? [] : ["", ...left];
}

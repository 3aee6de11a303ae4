// Gains beside those that arXiv 2510.07566 names.
import { difference } from "./figures.mjs";
import { markdownTable } from "./marked.mjs";
import { meansOfTasks, taskLists } from "./sections.mjs";
import { seedsText, signed, signedPoints, within } from "./wording.mjs";

/** As its abstract writes them, and as summaries of it write that of a tenth of the training data (of F1). */
const PAPER = { "ner 100": "+0.8 %", "tc 100": "+8.8 %", "ner 10": "+8.4 %", "tc 10": "not given" };

export function paperTable(sections) {
  const rows = sections.flatMap((section) => {
    const { share, protocol, family, tasks } = section;
    return taskLists(section).flatMap(([name, list]) => {
      const means = meansOfTasks(section, list);
      const gain = means.has("task-primary") && means.has("none") ? difference(means.get("task-primary"), means.get("none")) : null;
      if (gain === null) return [];
      return [[name, `${share} %`, protocol, seedsText(gain.seeds), `${signed(100 * gain.relative)} %`, `${signedPoints(gain.points)} ${within(gain.interval)}`, list === tasks ? PAPER[`${family} ${share}`] : ""]];
    });
  });
  return rows.length === 0
    ? ["No run of the regime task-primary is written."]
    : markdownTable(["family", "rows", "protocol", "seeds", "task-primary against none, relative", "points [95 %]", "the paper's, as it writes them"], rows);
}

// Which runs have which cells: a line a protocol.
import { SUBSETS } from "./cells.mjs";

/** @param results of all runs @param {[string, string][]} tasks */
export function runSoFar(results, tasks) {
  const all = tasks.length * (1 + SUBSETS.length);
  return [["Linear heads", "linear"], ["LoRA fine-tuning", "lora"]].map(([title, protocol]) => {
    const counts = results.map(({ header: { run }, cells }) => [run, [...cells.keys()].filter((cell) => cell.startsWith(`${protocol}/`)).length]);
    const [whole, part] = [counts.filter(([, count]) => count === all), counts.filter(([, count]) => count > 0 && count < all)];
    const lines = [
      ...(whole.length === 0 ? [] : [`all ${all} cells of ${whole.map(([run]) => run).join(", ")}`]),
      ...(part.length === 0 ? [] : [`some of ${part.map(([run, count]) => `${run} (${count})`).join(", ")}`]),
    ];
    return `- ${title}: ${lines.length === 0 ? "no cells yet" : lines.join("; ")}.`;
  });
}

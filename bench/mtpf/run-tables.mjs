// Tables of docs/mtpf-tpl.md about the runs themselves: what they cost, what int8 takes away.
import { markdownTable } from "./marked.mjs";
import { minus, points } from "./wording.mjs";

const thousands = (count) => Math.round(count / 1000).toLocaleString("en");
const minutes = (seconds) => (seconds / 60).toFixed(1);

export function costTable(results) {
  const rows = results.map(({ header: { run, pretraining }, cells }) => {
    const shown = (protocol) => {
      const own = [...cells.values()].filter(({ cell }) => cell.startsWith(`${protocol}/`));
      return own.length === 0 ? "" : `${minutes(own.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0))} (${own.length})`;
    };
    const before = pretraining === null ? ["", "", ""] : [pretraining.steps, thousands(pretraining.tokens), minutes(pretraining.seconds)];
    return [run, ...before, shown("linear"), shown("lora")];
  });
  return markdownTable(["run", "updates", "thousand tokens", "minutes by the clock", "linear cells, CPU minutes (cells)", "lora cells, CPU minutes (cells)"], rows);
}

/** @param {object[] | null} checks what int8.mjs wrote */
export function int8Table(checks) {
  if (checks === null) return ["Not measured: `node bench/mtpf/int8.mjs` writes it."];
  const rows = checks.map(({ adapter, task, rows: count, float32, int8 }) => [adapter, task, count, points(float32), points(int8), minus((100 * (int8 - float32)).toFixed(2))]);
  const mean = checks.reduce((sum, { float32, int8 }) => sum + int8 - float32, 0) / checks.length;
  return markdownTable(["adapter", "task", "test rows", "float32", "int8", "difference"], [...rows, ["**mean**", "", "", "", "", `**${minus((100 * mean).toFixed(2))}**`]]);
}

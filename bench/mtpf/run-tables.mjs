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

/**
 * @param {object[] | null} checks what int8.mjs wrote
 * @param {string | undefined} shipped digest of the encoder that ships, as its results name it
 * @throws where an adapter was compared on another encoder
 */
export function int8Table(checks, shipped) {
  if (checks === null) return ["Not measured: `node bench/mtpf/int8.mjs` writes it."];
  const other = checks.find(({ encoder }) => shipped !== undefined && encoder !== shipped);
  if (other !== undefined) throw new Error(`int8.json has ${other.adapter} on another encoder than the one that ships: node bench/mtpf/int8.mjs measures it anew`);
  const rows = checks.map(({ adapter, task, rows: count, float32, int8, agree }) => [adapter, task, count, points(float32), points(int8), minus((100 * (int8 - float32)).toFixed(2)), `${points(agree)} %`]);
  const mean = checks.reduce((sum, { float32, int8 }) => sum + int8 - float32, 0) / checks.length;
  return markdownTable(["adapter", "task", "test rows", "float32", "int8", "difference", "same answer"], [...rows, ["**mean**", "", "", "", "", `**${minus((100 * mean).toFixed(2))}**`, ""]]);
}

import type { PretrainingHistory, StepRecord } from "../../pretrain/types.ts";
import { grouped, table } from "../print-table.ts";

/** Updates at each end whose losses are averaged. */
const ENDS = 20;

/** What a run brought, for people. */
export function summary({ settings, steps, probes, warnings, seconds, tokens }: PretrainingHistory, output: string): string {
  const mean = (records: readonly StepRecord[], of: (record: StepRecord) => number | null): string => {
    const values = records.map(of).filter((value) => value !== null);
    return values.length === 0 ? "–" : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3);
  };
  const [first, last] = [steps.slice(0, ENDS), steps.slice(-ENDS)];
  const row = (name: string, of: (record: StepRecord) => number | null): string[] => [name, mean(first, of), mean(last, of)];
  const lines = [
    `${settings.regime}: ${grouped(steps.length)} updates, ${grouped(tokens)} tokens in ${Math.round(seconds)} s, ${grouped(Math.round(tokens / seconds))} tokens/s`,
    "",
    ...table([
      [`mean of ${first.length} updates`, "first", "last"], row("NER loss", ({ ner }) => ner), row("TC loss", ({ tc }) => tc), row("TC accuracy", ({ accuracy }) => accuracy),
    ], "lrr"),
  ];
  const probe = probes.at(-1);
  if (probe !== undefined) {
    const figure = (value: number | null): string => (value === null ? "" : value.toFixed(3));
    const rows = probe.parts.map(({ part, cosine, ratio, ner, tc }) => [part, figure(cosine), figure(ratio), figure(ner), figure(tc)]);
    lines.push("", `gradients at update ${probe.step}, ${probe.batches === 1 ? "single batches" : `means of ${probe.batches} batches`}`);
    lines.push(...table([["", "cosine NER–TC", "norm NER/TC", "NER–NER", "TC–TC"], ...rows], "lrrrr"));
  }
  if (warnings.length > 0) lines.push("", ...warnings.slice(0, 5).map((warning) => `! ${warning}`));
  return `${[...lines, "", output].join("\n")}\n`;
}

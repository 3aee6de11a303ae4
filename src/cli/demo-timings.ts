import { setImmediate } from "node:timers/promises";
import type { Encoder } from "../index.ts";
import { DEMO_PARTS } from "./demo-texts.ts";
import type { NamedFolder } from "./models.ts";
import { byteSize, megabytes, table } from "./print-table.ts";
import type { Style } from "./print-style.ts";
import type { Session } from "./session.ts";

/** Milliseconds, medians. */
export interface Timings {
  /** One text, one task. */
  readonly oneTask: number;
  /** One text, every task in one call: the trunk is run once. */
  readonly allTasks: number;
  /** One text, every task in a call of its own. */
  readonly separate: number;
  /** A text with the adapter of the text before. */
  readonly same: number;
  /** The same text with the same adapter, after a text with another one. */
  readonly swapped: number;
  /** Removing a task and adding it again from its folder. */
  readonly replace: number;
  readonly words: number;
  readonly rounds: number;
}

/** Enough rounds for a steady median, and never more than this long for each measurement. */
const ROUNDS = 60;
const BUDGET_MS = 800;

const TEXT = DEMO_PARTS[1]!.texts[1]!;

/** Measurements that are compared take turns, so that a change of clock or load meets all of them. */
export async function measure(encoder: Encoder, folders: readonly NamedFolder[], { signal }: Session): Promise<Timings> {
  const names = folders.map(({ name }) => name);
  const [a, b] = [["slots"], ["intent"]];
  const oneTask: number[] = [];
  const allTasks: number[] = [];
  const separate: number[] = [];
  let rounds = await repeat(async () => {
    allTasks.push(await time(() => encoder.run(TEXT, names, { signal })));
    separate.push(
      await time(async () => {
        for (const name of names) await encoder.run(TEXT, [name], { signal });
      }),
    );
    oneTask.push(await time(() => encoder.run(TEXT, a, { signal })));
  });
  const same: number[] = [];
  const swapped: number[] = [];
  rounds = Math.min(
    rounds,
    await repeat(async () => {
      await encoder.run(TEXT, b, { signal });
      swapped.push(await time(() => encoder.run(TEXT, a, { signal })));
      same.push(await time(() => encoder.run(TEXT, a, { signal })));
    }),
  );
  const replace: number[] = [];
  for (const { name, folder } of folders) {
    replace.push(
      await time(async () => {
        await encoder.removeAdapter(name);
        await encoder.addAdapter(name, folder, { signal });
      }),
    );
  }
  return {
    oneTask: median(oneTask),
    allTasks: median(allTasks),
    separate: median(separate),
    same: median(same),
    swapped: median(swapped),
    replace: median(replace),
    words: TEXT.split(" ").length,
    rounds,
  };
}

async function repeat(round: () => Promise<void>): Promise<number> {
  const end = performance.now() + BUDGET_MS;
  let rounds = 0;
  for (; rounds < ROUNDS && performance.now() < end; rounds++) {
    await round();
    await setImmediate(); // lets Ctrl-C in
  }
  return rounds;
}

async function time(step: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await step();
  return performance.now() - start;
}

/** The upper one of the middle two when there are two. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[sorted.length >> 1] ?? 0;
}

export function printTimings(
  encoder: Encoder,
  timings: Timings & { readonly loadMs: number; readonly firstResultMs: number },
  style: Style,
): string {
  const { memory, tasks, kernel, notes } = encoder.info;
  const { loadMs, firstResultMs, oneTask, allTasks, separate, same, swapped, replace, words, rounds } = timings;
  const ms = (value: number): string => `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ms`;
  const swapMicros = Math.round((swapped - same) * 1000);
  const rows = [
    ["load the encoder", ms(loadMs), ""],
    ["process start to first result", ms(firstResultMs), ""],
    ["one text, one task", ms(oneTask), `${words} words`],
    [`one text, ${tasks.length} tasks`, ms(allTasks), `one by one: ${ms(separate)}`],
    ["text after text, same adapter", ms(same), ""],
    ["text after text, another adapter", ms(swapped), `the swap: ${swapMicros > 0 ? `${swapMicros} µs` : "not measurable"}`],
    ["take an adapter out, load it again", ms(replace), "from its folder"],
  ];
  const sizes = [
    ["encoder", megabytes(memory.weights), ""],
    ["workspace", megabytes(memory.workspace), ""],
    [`${tasks.length} adapters`, byteSize(memory.adapters), ""],
    ["whole process", megabytes(process.memoryUsage.rss()), "resident"],
  ];
  const lines = [
    style.bold("Time") + style.dim(` (median of ${rounds})`),
    ...table(rows, "lrl").map((line) => `  ${line}`),
    "",
    style.bold("Memory"),
    ...table(sizes, "lrl").map((line) => `  ${line}`),
    "",
    `${style.bold("Kernel")}  ${kernel}${notes.length > 0 ? `: ${notes.join("; ")}` : ""}`,
  ];
  return `${lines.join("\n")}\n`;
}

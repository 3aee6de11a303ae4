import { basename } from "node:path";
import { parseJson } from "../../format/json.ts";
import { checkTarget, writeFolder, type FileToWrite } from "../../convert/write-folder.ts";
import { pretrain, type Pretrained } from "../../pretrain/pretrain.ts";
import type { PretrainingProgress, RowSet } from "../../pretrain/types.ts";
import { grouped } from "../print-table.ts";
import { inputName, readLines } from "../read-lines.ts";
import type { Session } from "../session.ts";
import { checkpointFile } from "./checkpoint-file.ts";
import type { PretrainConfig } from "./config.ts";
import { summary } from "./summary.ts";

/** Runs a configuration to its end, or on from its checkpoint, and writes what it gives. @throws RootstockError */
export async function pretrainConfig(config: PretrainConfig, logEvery: number | undefined, session: Session): Promise<void> {
  const { settings, encoder, output, data, checkpointEvery, dtype, writesHead } = config;
  const { signal } = session;
  checkTarget(output);
  const path = `${output}.checkpoint`;
  const checkpoint = checkpointFile(path);
  const sets = (paths: readonly string[]): RowSet[] => paths.map((file) => ({ name: basename(file).replace(/\.(jsonl|ndjson)(\.gz)?$/, ""), rows: jsonRows(file, signal) }));
  session.progress(`reading ${[...data.ner, ...data.pairs].map(inputName).join(", ")}`);
  let last: PretrainingProgress | null = null;
  let made: Pretrained;
  try {
    made = await pretrain(encoder, { ner: sets(data.ner), pairs: sets(data.pairs) }, {
      ...settings, checkpoint, checkpointEvery, dtype, writesHead, signal,
      onProgress: (progress) => {
        last = progress;
        session.progress(progressText(progress));
        if (logEvery !== undefined && progress.step % logEvery === 0) session.note(progressText(progress));
      },
    });
  } catch (error) {
    session.progress(null);
    if (signal.aborted && last !== null) session.note(`what was done is kept in ${path}; the same command goes on`);
    throw error;
  }
  session.progress(null);
  writeFolder(output, filesOf(made));
  await checkpoint.remove();
  await session.write(summary(made.history, output));
}

/** The rows of a file of JSON lines, unzipped where it is zipped. */
async function* jsonRows(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
  for await (const lines of readLines(path, signal)) {
    for (const { number, text } of lines) yield parseJson(text, { where: `${inputName(path)}, line ${number}`, maxBytes: text.length, code: "data-invalid" });
  }
}

/** `encoder/`, a folder for each adapter, `head/` where it is wanted, and what happened. */
function filesOf({ encoder, adapters, head, history }: Pretrained): FileToWrite[] {
  const folders = [["encoder", encoder] as const, ...adapters, ...(head === null ? [] : [["head", head] as const])];
  const files = folders.flatMap(([folder, own]) => [...own].map(([name, bytes]): FileToWrite => ({ name: `${folder}/${name}`, parts: [bytes] })));
  return [...files, { name: "history.json", parts: [new TextEncoder().encode(`${JSON.stringify(history)}\n`)] }];
}

function progressText({ step, steps, ner, tc, accuracy, tokensPerSecond, secondsLeft }: PretrainingProgress): string {
  const figure = (name: string, value: number | null): string[] => (value === null ? [] : [`${name} ${value.toFixed(3)}`]);
  return [
    `${step}/${steps}`, ...figure("NER", ner), ...figure("TC", tc), ...figure("accuracy", accuracy),
    `${grouped(Math.round(tokensPerSecond))} tokens/s`, `${clock(secondsLeft)} left`,
  ].join(", ");
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (count: number): string => String(count).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

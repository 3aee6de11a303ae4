import { basename } from "node:path";
import { parseJson } from "../../format/json.ts";
import { pretrain, type Pretrained } from "../../pretrain/pretrain.ts";
import type { PretrainingProgress, RowSet } from "../../pretrain/types.ts";
import type { Peers } from "../../train/peers.ts";
import { inputName, readLines } from "../read-lines.ts";
import { CheckpointFile } from "../train/checkpoint-file.ts";
import type { PretrainConfig } from "./config.ts";

/** Who else runs the configuration, and who hears of it. */
export interface PretrainHost {
  readonly peers?: Peers;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PretrainingProgress) => void;
}

/** Where a run is kept until it has ended. */
export function checkpointPath({ output }: PretrainConfig): string {
  return `${output}.checkpoint`;
}

/** Runs a configuration to its end, or on from its checkpoint. @throws RootstockError */
export function runConfig(config: PretrainConfig, { peers, signal, onProgress }: PretrainHost): Promise<Pretrained> {
  const { settings, encoder, data, checkpointEvery, dtype, writesHead } = config;
  const sets = (paths: readonly string[]): RowSet[] => paths.map((path) => jsonRows(path, signal));
  const checkpoint = new CheckpointFile(checkpointPath(config));
  return pretrain(encoder, { ner: sets(data.ner), pairs: sets(data.pairs) }, { ...settings, checkpoint, checkpointEvery, dtype, writesHead, peers, signal, onProgress });
}

/** The rows of a file of JSON lines, unzipped where it is zipped; they are named by their lines. */
function jsonRows(path: string, signal: AbortSignal): RowSet {
  let where = inputName(path);
  async function* rows(): AsyncGenerator<unknown> {
    for await (const lines of readLines(path, signal)) {
      for (const { number, text } of lines) {
        where = `${inputName(path)}, line ${number}`;
        yield parseJson(text, { where, maxBytes: text.length, code: "data-invalid" });
      }
    }
  }
  return { name: basename(path).replace(/\.(jsonl|ndjson)(\.gz)?$/, ""), rows: rows(), nameRow: () => where };
}

import { RootstockError } from "../errors.ts";
import { field, place, readInteger, readList, readNumber, readObject, type Place } from "../format/json.ts";
import { packCheckpoint, readingCheckpoint, unpackCheckpoint } from "./checkpoint-format.ts";
import type { Learner } from "./learner.ts";
import type { TrainingHistory } from "./types.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** History while it is being made. */
export interface OpenHistory extends Mutable<Omit<TrainingHistory, "steps" | "evaluations" | "warnings">> {
  steps: TrainingHistory["steps"][number][];
  evaluations: TrainingHistory["evaluations"][number][];
  warnings: string[];
}

/** A run between two updates: with the parameters and AdamW's means, all that the rest of it depends on. */
export interface RunState {
  /** Updates made. */
  step: number;
  /** Evaluations since the metric last rose. */
  withoutGain: number;
  /** Dev loss at the best step. */
  bestLoss: number;
  isOver: boolean;
  readonly history: OpenHistory;
  /** Values at the best step; null before there is one. */
  best: ReadonlyMap<string, Float32Array> | null;
}

const PARTS = ["value", "momentum", "variance"] as const;
const BEST = "best";

export function writeState(state: RunState, learner: Learner): Uint8Array {
  const tensors = new Map<string, Float32Array>();
  const add = (part: string, values: ReadonlyMap<string, Float32Array>): void => values.forEach((numbers, name) => tensors.set(`${part}/${name}`, numbers));
  for (const part of PARTS) add(part, learner.copy(part));
  if (state.best !== null) add(BEST, state.best);
  const { best: _, ...rest } = state;
  return packCheckpoint({ state: rest, tensors });
}

/**
 * Gives the learner its parameters, and `fresh` what had happened.
 * @param fresh the state at the beginning of this run, whose settings must be the checkpoint's
 * @throws RootstockError `checkpoint-invalid` for one that is damaged or of another run.
 */
export function readState(blob: Uint8Array, fresh: RunState, learner: Learner): RunState {
  const { state, tensors } = unpackCheckpoint(blob);
  return readingCheckpoint(() => {
    const at = place("its state", "checkpoint-invalid");
    const fields = readObject(state, at);
    const history = readHistory(fields.get("history"), field(at, "history"), fresh.history);
    const count = (name: string): number => readInteger(fields.get(name), field(at, name), 0, Number.MAX_SAFE_INTEGER);
    const part = (name: string): Map<string, Float32Array> =>
      new Map([...tensors].filter(([tensor]) => tensor.startsWith(`${name}/`)).map(([tensor, values]) => [tensor.slice(name.length + 1), values]));
    const wanted = [...learner.model.parameters].map(({ name }) => name);
    const complete = (values: ReadonlyMap<string, Float32Array>): boolean => wanted.length === values.size && wanted.every((name) => values.has(name));
    for (const name of PARTS) {
      if (!complete(part(name))) throw new RootstockError("checkpoint-invalid", `its parameters are not those of this adapter`);
      learner.write(name, part(name));
    }
    const best = part(BEST);
    if (history.best !== null && !complete(best)) throw new RootstockError("checkpoint-invalid", "its best parameters are missing");
    return {
      step: count("step"), withoutGain: count("withoutGain"), history,
      bestLoss: readNumber(fields.get("bestLoss"), field(at, "bestLoss"), -Number.MAX_VALUE, Number.MAX_VALUE),
      isOver: fields.get("isOver") === true,
      best: history.best === null ? null : best,
    };
  });
}

function shown(json: string | undefined): string {
  if (json === undefined) return "not given";
  return json.length > 100 ? `${json.slice(0, 100)}…` : json;
}

/** What is JSON of it was written by this library for the same settings; its lists are checked, not each of their entries. */
function readHistory(value: unknown, at: Place, fresh: OpenHistory): OpenHistory {
  const fields = readObject(value, at);
  const settings = readObject(fields.get("settings"), field(at, "settings"));
  for (const [name, own] of [["name", fresh.name] as const, ...Object.entries(fresh.settings)]) {
    const [before, now] = [JSON.stringify(name === "name" ? fields.get(name) : settings.get(name)), JSON.stringify(own)];
    if (before !== now) throw new RootstockError("checkpoint-invalid", `it is of another run, whose ${name} was ${shown(before)} and is ${shown(now)}`);
  }
  const list = (name: string): unknown[] => readList(fields.get(name), field(at, name), 1 << 30, (item) => item);
  const given = Object.fromEntries(fields) as unknown as OpenHistory;
  return {
    ...fresh, ...given, settings: fresh.settings, labels: fresh.labels,
    steps: list("steps") as OpenHistory["steps"], evaluations: list("evaluations") as OpenHistory["evaluations"], warnings: list("warnings") as string[],
  };
}

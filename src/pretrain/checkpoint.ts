import { RootstockError } from "../errors.ts";
import { packCheckpoint, readingCheckpoint, unpackCheckpoint } from "../finetune/checkpoint-format.ts";
import { field, place, readInteger, readList, readNumber, readObject, readString, type Place } from "../format/json.ts";
import { writeParameter, type ParameterPart } from "../train/parameters.ts";
import type { Trainer } from "./trainer.ts";
import type { PretrainingHistory } from "./types.ts";

/** What a run has made so far, beside its tensors. */
export interface RunState {
  readonly steps: PretrainingHistory["steps"];
  readonly probes: PretrainingHistory["probes"];
  readonly warnings: readonly string[];
  readonly seconds: number;
  readonly tokens: number;
}

/** All that has to be the same for two runs to be one; its digest stands in the checkpoint, and the parts for messages. */
export type RunIdentity = Readonly<Record<"settings" | "encoder" | "files" | "data" | "build" | "peers", string>>;

const PARTS: readonly ParameterPart[] = ["value", "momentum", "variance"];
const MAX_RECORDS = 10_000_000;
const at = place("its state");

/** Every trained tensor's value and AdamW's means, the NER head included, and the run's state as JSON. */
export function writeCheckpoint({ machine, plan, step, counts }: Trainer, identity: RunIdentity, state: RunState): Uint8Array {
  const tensors = new Map<string, Float32Array>();
  // Views: they are copied once, into the blob.
  for (const part of PARTS) for (const parameter of plan.model.parameters) tensors.set(`${part}/${parameter.name}`, machine.memory.floats(parameter[part], parameter.count));
  return packCheckpoint({ state: { step, counts: [...counts], identity, state }, tensors });
}

/** Puts a trainer where the run was. @throws RootstockError `checkpoint-invalid`: it is damaged, or of another run. */
export function readCheckpoint(trainer: Trainer, bytes: Uint8Array, identity: RunIdentity): RunState {
  const { state: stored, tensors } = unpackCheckpoint(bytes);
  return readingCheckpoint(() => {
    const fields = readObject(stored, at);
    checkIdentity(readObject(fields.get("identity"), field(at, "identity")), identity);
    const state = readState(readObject(fields.get("state"), at));
    const counts = readList(fields.get("counts"), field(at, "counts"), 16, readCount);
    const step = readInteger(fields.get("step"), field(at, "step"), 0, Number.MAX_SAFE_INTEGER);
    const { machine, plan } = trainer;
    for (const part of PARTS) {
      for (const parameter of plan.model.parameters) {
        const name = `${part}/${parameter.name}`;
        const values = tensors.get(name);
        if (values === undefined) throw new RootstockError("tensor-missing", `"${name}" is not in it`);
        writeParameter(machine, parameter, part, values);
      }
    }
    trainer.step = step;
    trainer.notFinite = state.steps.length - 1 - state.steps.findLastIndex(({ gradientNorm }) => gradientNorm !== null);
    trainer.counts.clear();
    for (const [name, count] of counts) trainer.counts.set(name, count);
    trainer.refresh();
    return state;
  });
}

/** The updates that a checkpoint comes after. @throws RootstockError `checkpoint-invalid`: it is damaged */
export function updatesOf(bytes: Uint8Array): RunState["steps"] {
  const { state } = unpackCheckpoint(bytes);
  return readingCheckpoint(() => readState(readObject(readObject(state, at).get("state"), at)).steps);
}

function readState(state: ReadonlyMap<string, unknown>): RunState {
  const list = <T>(name: string): readonly T[] => readList(state.get(name), field(at, name), MAX_RECORDS, (item) => item as T);
  return {
    steps: list("steps"), probes: list("probes"), warnings: list("warnings"),
    seconds: readNumber(state.get("seconds"), field(at, "seconds"), 0, Number.MAX_VALUE),
    tokens: readInteger(state.get("tokens"), field(at, "tokens"), 0, Number.MAX_SAFE_INTEGER),
  };
}

function readCount(value: unknown, at: Place): readonly [string, number] {
  const [name, count] = readList(value, at, 2, (item) => item);
  return [readString(name, at), readInteger(count, at, 0, Number.MAX_SAFE_INTEGER)];
}

function checkIdentity(found: ReadonlyMap<string, unknown>, identity: RunIdentity): void {
  const other = Object.entries(identity).filter(([name, value]) => found.get(name) !== value).map(([name]) => name);
  if (other.length === 0) return;
  throw new RootstockError("checkpoint-invalid", `it is of another run, not with the same ${other.join(", ")}`);
}

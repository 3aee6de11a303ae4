import { RootstockError } from "../errors.ts";
import { toFloat32 } from "../format/floats.ts";
import { field, parseJson, place, readInteger, readList, readNumber, readObject, readString } from "../format/json.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import { writeSafetensors, type TensorToWrite } from "../format/safetensors-writer.ts";
import { readParameter, writeParameter, type ParameterPart } from "../train/parameters.ts";
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
export type RunIdentity = Readonly<Record<"settings" | "encoder" | "data" | "build" | "peers", string>>;

const FORMAT = "rootstock-pretraining-1";
const PARTS: readonly ParameterPart[] = ["value", "momentum", "variance"];
/** Of the JSON beside the tensors: 200 bytes a step. */
const MAX_STATE_BYTES = 1 << 30;
const WHERE = "the checkpoint";

/** One safetensors file: every trained tensor's value and AdamW's means, the NER head included, and the run's state as JSON. */
export function writeCheckpoint({ machine, plan, step, counts }: Trainer, identity: RunIdentity, state: RunState): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify({ step, counts: [...counts], identity, state }));
  const tensors: TensorToWrite[] = [{ name: "state", dtype: "U8", shape: [text.length], data: text }];
  for (const part of PARTS) {
    for (const parameter of plan.model.parameters) {
      const values = readParameter(machine, parameter, part);
      tensors.push({ name: `${part}/${parameter.name}`, dtype: "F32", shape: [parameter.count], data: new Uint8Array(values.buffer) });
    }
  }
  const { header, parts, size } = writeSafetensors(tensors, new Map([["format", FORMAT]]));
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of [header, ...parts]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Puts a trainer where the run was.
 * @throws RootstockError `argument-invalid` for the checkpoint of another run, `not-a-model` for no checkpoint at all, and those of reading safetensors.
 */
export function readCheckpoint(trainer: Trainer, bytes: Uint8Array, identity: RunIdentity): RunState {
  const { machine, plan } = trainer;
  const { tensors, metadata } = parseSafetensorsHeader(bytes, bytes.length, WHERE);
  if (metadata.get("format") !== FORMAT) throw new RootstockError("not-a-model", `${WHERE} is of another kind or version. Remove it to begin anew.`);
  const part = (name: string): Uint8Array => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new RootstockError("tensor-missing", `${WHERE} lacks "${name}". Remove it to begin anew.`);
    return bytes.subarray(tensor.start, tensor.end);
  };
  const at = place(WHERE);
  const fields = readObject(parseJson(part("state"), { where: WHERE, maxBytes: MAX_STATE_BYTES }), at);
  checkIdentity(readObject(fields.get("identity"), field(at, "identity")), identity);
  for (const which of PARTS) {
    for (const parameter of plan.model.parameters) writeParameter(machine, parameter, which, toFloat32(part(`${which}/${parameter.name}`), "F32"));
  }
  trainer.step = readInteger(fields.get("step"), field(at, "step"), 0, Number.MAX_SAFE_INTEGER);
  trainer.counts.clear();
  for (const [name, count] of readList(fields.get("counts"), field(at, "counts"), 16, (item, place) => readCount(item, place))) trainer.counts.set(name, count);
  trainer.refresh();
  const state = readObject(fields.get("state"), field(at, "state"));
  const list = <T>(name: string): readonly T[] => readList(state.get(name), field(at, name), Number.MAX_SAFE_INTEGER, (item) => item as T);
  return {
    steps: list("steps"), probes: list("probes"), warnings: list("warnings"),
    seconds: readNumber(state.get("seconds"), field(at, "seconds"), 0, Number.MAX_VALUE),
    tokens: readInteger(state.get("tokens"), field(at, "tokens"), 0, Number.MAX_SAFE_INTEGER),
  };
}

function readCount(value: unknown, at: ReturnType<typeof place>): readonly [string, number] {
  const [name, count] = readList(value, at, 2, (item) => item);
  return [readString(name, at), readInteger(count, at, 0, Number.MAX_SAFE_INTEGER)];
}

function checkIdentity(found: ReadonlyMap<string, unknown>, identity: RunIdentity): void {
  const other = Object.entries(identity).filter(([name, value]) => found.get(name) !== value).map(([name]) => name);
  if (other.length === 0) return;
  throw new RootstockError("argument-invalid", `${WHERE} is of another run: not the same ${other.join(", ")}. Remove it to begin anew, or write elsewhere.`);
}

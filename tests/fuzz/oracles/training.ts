import { prepare } from "../../../src/finetune/prepare.ts";
import { trainAdapter, type TrainingOptions } from "../../../src/finetune/index.ts";
import type { Encoder } from "../../../src/index.ts";
import { RootstockError } from "../../../src/errors.ts";
import { checkFinite, verdict, type Verdict } from "./verdict.ts";

const NAME = "stranger";
export const SHORT: TrainingOptions = { epochs: 1, batchSize: 4, rank: 2, layers: 1 };

/** Rows as the program reads them: of JSON. A value that is no list of rows is one row. */
function rowsOf(bytes: Uint8Array): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new RootstockError("json-invalid", "no JSON", { cause });
  }
  return Array.isArray(value) ? value : [value];
}

/** Reads rows as training and dev data; what is taken must be ids, tokens and classes that are there. */
export function judgeRows(encoder: Encoder, bytes: Uint8Array): Promise<Verdict> {
  return verdict(async () => {
    const rows = rowsOf(bytes);
    const { train, dev, classes, kind } = await prepare(encoder.loaded, { name: NAME, train: rows, dev: rows }, SHORT);
    for (const { ids, read, gold, starts, ends, text } of dev!.examples) {
      const isRight =
        ids.every((id) => id < encoder.info.vocabulary) && read.every((token, i) => token < ids.length && (i === 0 || token > read[i - 1]!)) &&
        gold.every((number) => classes.indexOf[number]! < classes.names.length) && (kind !== "ner" || gold.length === read.length) &&
        starts.every((start, i) => start <= ends[i]! && ends[i]! <= text.length);
      if (!isRight) throw new Error(`an example of ${JSON.stringify(text)} is not sound`);
    }
    if (train.examples.length !== dev!.examples.length) throw new Error("train and dev read the same rows differently");
  });
}

/** Trains on rows, adds the adapter to the encoder and runs it. */
export function judgeTraining(encoder: Encoder, bytes: Uint8Array, checkpoint?: Uint8Array): Promise<Verdict> {
  return verdict(async () => {
    const options = checkpoint === undefined ? SHORT : { ...SHORT, checkpoint: { read: async () => checkpoint, write: async () => undefined } };
    const trained = await trainAdapter(encoder, { name: NAME, train: rowsOf(bytes) }, options);
    await encoder.addAdapter(NAME, trained, { replace: true });
    checkFinite(await encoder.logits([2, 5, 6, 3], NAME), "logits");
    await encoder.removeAdapter(NAME);
  });
}

/** The checkpoint of a run over rows, at its end. */
export async function checkpointOf(encoder: Encoder, bytes: Uint8Array): Promise<Uint8Array> {
  let blob: Uint8Array | null = null;
  await trainAdapter(encoder, { name: NAME, train: rowsOf(bytes) }, { ...SHORT, checkpoint: { read: async () => null, write: async (written) => void (blob = written.slice()) } });
  if (blob === null) throw new Error("no checkpoint was written");
  return blob;
}

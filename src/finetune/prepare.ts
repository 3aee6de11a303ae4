import { quote, RootstockError } from "../errors.ts";
import { OFFSETS } from "../heads/entities.ts";
import { ownOptions, type OptionKinds } from "../own-options.ts";
import { checkChoice, checkTaskName } from "../runtime/options.ts";
import type { LoadedEncoder } from "../runtime/load-encoder.ts";
import { Pace } from "../runtime/event-loop.ts";
import type { HeadKind } from "../train/head.ts";
import { classWeights } from "./class-weights.ts";
import type { DevExample, Example } from "./examples.ts";
import { headKind } from "./head-kind.ts";
import { headLabels, LabelBook, type Classes } from "./label-book.ts";
import { HeadLoss } from "./loss.ts";
import { readData, type ReadSet } from "./read-data.ts";
import { checkNoShape, maxLengthOf, recipeOf, shapeOf, type AdapterShape, type Recipe } from "./settings.ts";
import { readStart, type StartingPoint } from "./start-from.ts";
import type { TrainingData, TrainingKind, TrainingOptions } from "./types.ts";

/** Data and options, read and checked: what a run is made of. */
export interface Prepared {
  readonly name: string;
  readonly kind: TrainingKind;
  readonly train: ReadSet<Example>;
  readonly dev: ReadSet<DevExample> | null;
  readonly classes: Classes;
  readonly shape: AdapterShape;
  readonly recipe: Recipe;
  readonly start: StartingPoint | null;
  readonly head: HeadKind;
  readonly loss: HeadLoss;
  readonly warnings: readonly string[];
}

const DATA_FIELDS: OptionKinds<TrainingData> = { name: "", train: "ids", dev: "ids", nameRow: "function" };

/** @throws RootstockError `argument-invalid`, `data-invalid`, `source-missing`, those of `from`; the signal's reason. */
export async function prepare(loaded: LoadedEncoder, given: TrainingData, options: TrainingOptions): Promise<Prepared> {
  if (typeof given !== "object" || given === null) throw new RootstockError("argument-invalid", "give the data as { name, train, dev }.");
  const data = ownOptions(given, DATA_FIELDS);
  checkTaskName(data.name);
  const { signal } = options;
  signal?.throwIfAborted();
  const { tokenizer, machine: { plan } } = loaded;
  const { config } = plan;
  if (tokenizer === null) throw new RootstockError("source-missing", "the encoder folder has no tokenizer.json, so rows cannot be read. Add the file and load it again.");
  // Wrong options are told before long data is read.
  const own = options.from === undefined ? shapeOf(options, config) : null;
  if (own === null) checkNoShape(options);
  const maxLength = maxLengthOf(options, config);
  recipeOf(options, own ?? shapeOf({}, config), maxLength, 1);
  const offsets = checkChoice(options.offsets ?? "utf16", "offsets", OFFSETS);

  const book = new LabelBook();
  const reading = { tokenizer, maxLength, book, offsets, nameRow: data.nameRow, pace: new Pace(), signal };
  const train = await readData(data.train, { ...reading, set: "train", kind: null }, ({ ids, read, gold }): Example => ({ ids, read, gold }));
  const { kind } = train;
  const labels = book.labels;
  checkLabels(kind, labels);
  const dev = data.dev == null ? null : await readData(data.dev, { ...reading, set: "dev", kind }, (example) => example);

  const start = options.from === undefined ? null : await readStart(loaded, options.from, kind, signal);
  const wanted = headLabels(kind, labels);
  const keepsHead = start?.labels != null && wanted.every((label) => start.labels!.includes(label));
  const classes = book.classes(kind, keepsHead ? start!.labels! : wanted);
  const shape = start?.shape ?? own!;
  const recipe = recipeOf(options, shape, maxLength, train.examples.length);
  const hasPooler = plan.pooler !== null && !(keepsHead && start!.hasOwnPooler);
  return {
    name: data.name, kind, train, dev, classes, shape, recipe,
    start: start && { ...start, labels: keepsHead ? start.labels : null },
    head: headKind(config, kind, classes.labels.length, hasPooler),
    loss: new HeadLoss(kind, classes, classWeights(options.classWeights, kind, classes, train.examples), recipe.labelSmoothing),
    warnings: [
      ...train.warnings, ...(dev?.warnings ?? []),
      ...unknownLabels(kind, classes),
      ...(dev === null && recipe.patience !== null ? ["patience: there is no dev, so it ends nothing."] : []),
      ...(start !== null && !keepsHead ? ['from: it has no head for these labels, so a fresh one is trained.'] : []),
    ],
  };
}

function checkLabels(kind: TrainingKind, labels: readonly string[]): void {
  if (kind === "ner" && labels.length === 0) throw new RootstockError("data-invalid", "train has no entity in any row, so there is nothing to learn. Give rows with some.");
  if (kind === "classification" && labels.length < 2) throw new RootstockError("data-invalid", `train has one label only, ${quote(labels[0]!)}, so there is nothing to tell apart. Give rows of at least two.`);
  if (labels.length === 0) throw new RootstockError("data-invalid", "train has no label in any row, so there is nothing to learn. Give rows with some.");
}

/** Labels of dev that cannot be predicted. */
function unknownLabels(kind: TrainingKind, { labels, names }: Classes): string[] {
  const extra = names.slice(labels.length).map((name) => (kind === "ner" ? name.slice(2) : name));
  const shown = [...new Set(extra)];
  if (shown.length === 0) return [];
  return [`dev: ${shown.length} labels that train does not have count as not found: ${shown.slice(0, 10).map(quote).join(", ")}${shown.length > 10 ? ", …" : ""}.`];
}

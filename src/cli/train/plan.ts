import { basename, resolve } from "node:path";
import { METHODS, type TrainingOptions, type TrainingTarget } from "../../finetune/types.ts";
import { OFFSETS } from "../../heads/entities.ts";
import { LINEAR_PARTS } from "../../model/plan.ts";
import { checkTaskName } from "../../runtime/options.ts";
import { SCHEDULES } from "../../train/schedule.ts";
import { given, readChoice, readCount, readWorkers } from "../arguments.ts";
import type { Session } from "../session.ts";
import { repeated } from "../repeated.ts";
import { UsageError } from "../usage-error.ts";

/** Values of the command line, by option. */
export type TrainArgs = Readonly<Record<string, unknown>>;

/** What the command line asks for. */
export interface TrainPlan {
  readonly task: string;
  /** "-" = standard input. */
  readonly data: string;
  /** A file of rows; "held out" = a part of `data`; null = none. */
  readonly dev: { readonly path: string } | "held out" | null;
  readonly out: string;
  /** Folder of the encoder; undefined = the package's own. */
  readonly encoder: string | undefined;
  readonly options: TrainingOptions & { readonly seed: number };
  /** Threads that train together. */
  readonly workers: number;
  readonly restart: boolean;
  readonly json: boolean;
}

type Text = (name: string) => string | undefined;

/** @throws UsageError; RootstockError `task-invalid` */
export function readTrainPlan(args: TrainArgs, session: Session): TrainPlan {
  const text: Text = (name) => session.values(name)[0];
  const task = text("task")!;
  checkTaskName(task);
  const plan: TrainPlan = {
    task,
    data: text("data")!,
    dev: readDev(text("dev"), session.values("no-dev").length > 0),
    out: text("out")!,
    encoder: text("encoder"),
    options: readOptions(text, args, session.values("class-weight")),
    workers: readWorkers(text("workers")) ?? 1,
    restart: args["restart"] === true,
    json: args["json"] === true,
  };
  checkPlan(plan);
  return plan;
}

function readDev(path: string | undefined, none: boolean): TrainPlan["dev"] {
  if (path !== undefined && none) throw new UsageError("give --dev or --no-dev, not both");
  return none ? null : path === undefined ? "held out" : { path };
}

function checkPlan({ data, dev, out }: TrainPlan): void {
  if (typeof dev === "object" && dev?.path === "-" && data === "-") throw new UsageError("standard input is given for two things");
  if (basename(resolve(out)) === "") throw new UsageError(`--out is ${JSON.stringify(out)}; give a folder of its own`);
}

/** Only what was given: the defaults are the library's. */
function readOptions(text: Text, args: TrainArgs, weights: readonly string[]): TrainPlan["options"] {
  const number = (name: string): number | undefined => readNumber(text(name), name);
  const count = (name: string): number | undefined => readCount(text(name), name);
  const orNone = <T>(name: string, read: (name: string) => T): T | null => (text(name) === "none" ? null : read(name));
  return {
    ...given("method", readChoice(text("method"), "method", METHODS)),
    ...given("rank", count("rank")),
    ...given("alpha", number("alpha")),
    ...given("rsLora", args["rs-lora"] === true ? true : undefined),
    ...given("targets", readTargets(text("targets"))),
    ...given("layers", readLayers(text("layers"))),
    ...given("from", text("from")),
    ...given("epochs", count("epochs")),
    ...given("learningRate", number("learning-rate")),
    ...given("headLearningRate", number("head-learning-rate")),
    ...given("batchSize", count("batch-size")),
    ...given("schedule", readChoice(text("schedule"), "schedule", SCHEDULES)),
    ...given("warmup", number("warmup")),
    ...given("weightDecay", number("weight-decay")),
    ...given("clip", orNone("clip", number)),
    ...given("dropout", number("dropout")),
    ...given("loraDropout", number("lora-dropout")),
    ...given("labelSmoothing", number("label-smoothing")),
    ...given("classWeights", readClassWeights(text("class-weights"), weights)),
    ...given("patience", orNone("patience", count)),
    ...given("evaluateEvery", text("evaluate-every") === "epoch" ? ("epoch" as const) : count("evaluate-every")),
    ...given("maxLength", count("max-tokens")),
    ...given("offsets", readChoice(text("offsets"), "offsets", OFFSETS)),
    seed: readCount(text("seed"), "seed", 0) ?? 1,
  };
}

/** A number from 0 up, as 0.5 or 1e-3. @throws UsageError */
function readNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:e[+-]?[0-9]{1,2})?$/i.test(text)) return Number(text);
  throw new UsageError(`--${option} is ${JSON.stringify(text)}; give a number such as 0.1 or 1e-3`);
}

function readTargets(text: string | undefined): TrainingOptions["targets"] {
  if (text === undefined || text === "all-linear") return text;
  return text.split(",").map((name): TrainingTarget => {
    const found = LINEAR_PARTS.find((part) => part === name.trim());
    if (found !== undefined) return found;
    throw new UsageError(`--targets is ${JSON.stringify(text)}; give all-linear or some of ${LINEAR_PARTS.join(",")}`);
  });
}

/** "3" is the last three, "0,5" the first and the sixth, "0," the first alone. */
function readLayers(text: string | undefined): TrainingOptions["layers"] {
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,2}$/.test(text)) return Number(text);
  if (/^[0-9]{1,3},(?:[0-9]{1,3}(?:,[0-9]{1,3})*)?$/.test(text)) return text.replace(/,$/, "").split(",").map(Number);
  throw new UsageError(`--layers is ${JSON.stringify(text)}; give how many of the last, layers such as 0,5, or one with a comma behind it`);
}

function readClassWeights(how: string | undefined, weights: readonly string[]): TrainingOptions["classWeights"] {
  const choice = readChoice(how, "class-weights", ["none", "balanced"] as const);
  if (weights.length === 0) return choice;
  if (choice !== undefined) throw new UsageError("give --class-weights or --class-weight, not both");
  const pairs = weights.map((text): [string, number] => {
    // A label may hold "=".
    const at = text.lastIndexOf("=");
    if (at > 0) return [text.slice(0, at), readNumber(text.slice(at + 1), "class-weight")!];
    throw new UsageError(`--class-weight is ${JSON.stringify(text)}; give LABEL=NUMBER`);
  });
  const twice = repeated(pairs.map(([label]) => label));
  if (twice !== undefined) throw new UsageError(`--class-weight names ${JSON.stringify(twice)} twice`);
  return Object.fromEntries(pairs);
}

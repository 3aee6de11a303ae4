import { RootstockError } from "../errors.ts";
import { field, place, readBoolean, readChoice, readInteger, readList, readNumber, readObject, type Place } from "../format/json.ts";
import { MAX_LAYERS, MAX_RANK } from "../limits.ts";
import { LINEAR_PARTS } from "../model/plan.ts";
import { SCHEDULES } from "../train/schedule.ts";
import { REGIMES } from "./regime.ts";
import type { PretrainingSettings, Regime, SourceOptions } from "./types.ts";

/** A month on two cores. With as many updates (125 bytes each) and probes (3.4 kB of 24 layers) a history fits into a checkpoint. */
const MAX_STEPS = 1_000_000;
const MAX_PROBES = 100_000;
const MAX_BATCH = 4096;
/** Token rows of a pass: 25 KB a row and layer are kept, and 2 GiB are the most. */
const MAX_PASS_ROWS = 65_536;
const MAX_SOURCES = 4096;

/** The fields of one object: each is asked for once, and `finish` refuses what nothing asked for. */
class Fields {
  readonly #fields: Map<string, unknown>;
  readonly #at: Place;

  constructor(value: unknown, at: Place) {
    this.#fields = value === undefined ? new Map() : readObject(value, at);
    this.#at = at;
  }

  read<T>(name: string, fallback: T, read: (value: unknown, at: Place) => T): T {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value === undefined ? fallback : read(value, field(this.#at, name));
  }

  whole(name: string, fallback: number, least: number, most: number): number {
    return this.read(name, fallback, (value, at) => readInteger(value, at, least, most));
  }

  number(name: string, fallback: number, least: number, most: number): number {
    return this.read(name, fallback, (value, at) => readNumber(value, at, least, most));
  }

  /** Or null. */
  orNull(name: string, fallback: number | null, read: (value: unknown, at: Place) => number): number | null {
    return this.read<number | null>(name, fallback, (value, at) => (value === null ? null : read(value, at)));
  }

  /** An object of its own; absent: one without fields. */
  section<T>(name: string, read: (fields: Fields) => T): T {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return withFields(value, field(this.#at, name), read);
  }

  finish(): void {
    const [unknown] = this.#fields.keys();
    if (unknown === undefined) return;
    throw new RootstockError(this.#at.code, `${field(this.#at, unknown).path}: there is no such setting. See docs/pre-finetuning.md.`);
  }
}

function withFields<T>(value: unknown, at: Place, read: (fields: Fields) => T): T {
  const fields = new Fields(value, at);
  const made = read(fields);
  fields.finish();
  return made;
}

/**
 * Settings of a stranger: every field known, every number in range; what is absent has its default.
 * @throws RootstockError `at.code`.
 */
export function readSettings(value: unknown, at: Place): PretrainingSettings {
  const settings = readAll(value, at);
  const { steps, probe: { every, averageEvery } } = settings;
  const probes = [every, averageEvery].reduce<number>((sum, interval) => sum + (interval === null ? 0 : Math.ceil(steps / interval)), 0);
  if (probes > MAX_PROBES) throw new RootstockError(at.code, `${field(at, "probe").path}: ${probes} probes in ${steps} updates; at most ${MAX_PROBES} are kept. Give a larger every.`);
  return settings;
}

function readAll(value: unknown, at: Place): PretrainingSettings {
  return withFields(value, at, (all) => ({
    regime: all.read("regime", "task-primary", (given, place): Regime => readChoice(given, place, Object.keys(REGIMES) as Regime[])),
    seed: all.whole("seed", 1, 0, 2 ** 31 - 1),
    steps: all.whole("steps", 260, 1, MAX_STEPS),
    lossWeights: all.section("lossWeights", (fields) => ({ ner: fields.number("ner", 1, 0, 1e6), tc: fields.number("tc", 1, 0, 1e6) })),
    learningRates: all.section("learningRates", (fields) => ({
      backbone: fields.number("backbone", 1e-4, 0, 1),
      head: fields.number("head", 2e-3, 0, 1),
      adapters: fields.number("adapters", 1e-3, 0, 1),
    })),
    schedule: all.read("schedule", "linear", (given, place): PretrainingSettings["schedule"] => readChoice(given, place, SCHEDULES)),
    warmup: all.number("warmup", 0.1, 0, 1),
    weightDecay: all.number("weightDecay", 0.01, 0, 1),
    clip: all.orNull("clip", 1, (given, place) => readNumber(given, place, 1e-6, 1e6)),
    adapter: all.section("adapter", (fields) => ({
      layers: fields.whole("layers", 3, 1, MAX_LAYERS),
      rank: fields.whole("rank", 8, 1, MAX_RANK),
      alpha: fields.number("alpha", 16, 1e-3, 1e6),
      rsLora: fields.read("rsLora", false, readBoolean),
      targets: fields.read("targets", [...LINEAR_PARTS], readTargets),
    })),
    ner: all.section("ner", (fields) => ({ batchSize: fields.whole("batchSize", 32, 1, MAX_BATCH), every: fields.whole("every", 1, 1, MAX_STEPS) })),
    pairs: all.section("pairs", (fields) => ({
      batchSize: fields.whole("batchSize", 32, 2, MAX_BATCH),
      every: fields.whole("every", 1, 1, MAX_STEPS),
      temperature: fields.number("temperature", 0.05, 1e-3, 100),
      direction: fields.read("direction", "both", (given, place): "both" | "first" => readChoice(given, place, ["both", "first"])),
    })),
    maxLength: all.whole("maxLength", 48, 3, MAX_PASS_ROWS),
    passRows: all.orNull("passRows", null, (given, place) => readInteger(given, place, 3, MAX_PASS_ROWS)),
    sources: all.read("sources", {}, readSources),
    probe: all.section("probe", (fields) => ({
      every: fields.orNull("every", 10, (given, place) => readInteger(given, place, 1, MAX_STEPS)),
      averageEvery: fields.orNull("averageEvery", null, (given, place) => readInteger(given, place, 1, MAX_STEPS)),
      batches: fields.whole("batches", 8, 1, 1024),
    })),
  }));
}

function readTargets(value: unknown, at: Place): PretrainingSettings["adapter"]["targets"] {
  const named = readList(value, at, LINEAR_PARTS.length, (item, place) => readChoice(item, place, LINEAR_PARTS));
  const found = LINEAR_PARTS.filter((part) => named.includes(part));
  if (found.length === named.length && found.length > 0) return found;
  throw new RootstockError(at.code, `${at.path}: give one or more of ${LINEAR_PARTS.join(", ")}, each once.`);
}

function readSources(value: unknown, at: Place): Record<string, SourceOptions> {
  const named = readObject(value, at);
  if (named.size > MAX_SOURCES) throw new RootstockError("limit-exceeded", `${at.path}: ${named.size} sources; at most ${MAX_SOURCES} are read.`);
  return Object.fromEntries([...named].map(([name, given]) => [name, readSource(given, field(at, name))]));
}

function readSource(value: unknown, at: Place): SourceOptions {
  return withFields(value, at, (fields) => ({
    weight: fields.number("weight", 1, 0, 1000),
    outside: fields.read("outside", "label", (given, place): SourceOptions["outside"] => readChoice(given, place, ["label", "ignored"])),
  }));
}

/** The fields that `readSettings` knows. */
export const SETTING_FIELDS: ReadonlySet<string> = new Set(Object.keys(readSettings(undefined, place("settings"))));

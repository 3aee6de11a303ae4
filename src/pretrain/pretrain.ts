import { place } from "../format/json.ts";
import type { SourceLike } from "../load/source.ts";
import { checkStore } from "../finetune/checkpoint-store.ts";
import { ownOptions, type OptionKinds } from "../own-options.ts";
import { checkChoice, checkInteger } from "../runtime/options.ts";
import type { TrainMachineOptions } from "../train/machine.ts";
import { checkPeers, type Peers } from "../train/peers.ts";
import { Batches } from "./batches.ts";
import { readCheckpoint, writeCheckpoint, type RunIdentity, type RunState } from "./checkpoint.ts";
import { checkData, classNames, readCorpus, type Corpus } from "./corpus.ts";
import { digestOfFiles, fillBackbone, readStartEncoder, type StartEncoder } from "./encoder-source.ts";
import { adapterFiles, encoderFiles, headFiles, type Files } from "./output.ts";
import { REGIMES } from "./regime.ts";
import { readSettings, SETTING_FIELDS } from "./settings.ts";
import { Trainer } from "./trainer.ts";
import type { PretrainingData, PretrainingHistory, PretrainingOptions, PretrainingSettings, ProbeRecord, StepRecord } from "./types.ts";

/** What pre-finetuning leaves. */
export interface Pretrained {
  /** Hugging Face's folder of the encoder: `loadEncoder`, `convertEncoder` and transformers read it. */
  readonly encoder: Files;
  /** PEFT folders by name, "ner" and "tc" (or "shared"); empty where the regime has no groups. */
  readonly adapters: ReadonlyMap<string, Files>;
  /** Where `writesHead` asks for it and there is one. */
  readonly head: Files | null;
  readonly history: PretrainingHistory;
}

type Options = PretrainingOptions & { /** For tests. @internal */ readonly machine?: TrainMachineOptions };
type RunOptions = Options & { readonly peers: Peers };

const OPTIONS = {
  ...(Object.fromEntries([...SETTING_FIELDS].map((name) => [name, ""])) as OptionKinds<PretrainingSettings>),
  checkpoint: "", checkpointEvery: "", dtype: "", writesHead: "boolean", peers: "", signal: "signal", onProgress: "function", machine: "own",
} satisfies OptionKinds<Options>;
/** Updates that the speed is taken over. */
const SPEED_STEPS = 20;

/**
 * Multi-task pre-finetuning with task-primary LoRA groups (arXiv 2510.07566), and the regimes to compare it with: docs/pre-finetuning.md.
 * The same settings, rows and encoder give the same bits on one engine, with any checkpoints in between.
 *
 * @param encoder a Hugging Face folder with its tokenizer, not a converted one
 * @param options all have defaults; those of batches are 32 sentences and 32 pairs
 * @throws RootstockError `argument-invalid`, `data-invalid`, `limit-exceeded`, `training-diverged`, `checkpoint-invalid`, and those of reading
 *   the encoder; `signal.reason` when it is aborted, after a last checkpoint.
 */
export async function pretrain(encoder: SourceLike, data: PretrainingData, given: Options = {}): Promise<Pretrained> {
  const own = ownOptions(given, OPTIONS);
  const options = { ...own, peers: checkPeers(own.peers) };
  const { signal, dtype = "F32", writesHead = false } = options;
  signal?.throwIfAborted();
  checkStore(options.checkpoint);
  checkData(data);
  checkChoice(dtype, "dtype", ["F32", "F16"]);
  checkInteger(options.checkpointEvery ?? 1, "checkpointEvery", 1, Number.MAX_SAFE_INTEGER);
  const asked = settingsOf(options);
  const start = await readStartEncoder(encoder, signal);
  const settings = { ...asked, maxLength: Math.min(asked.maxLength, start.config.maxPositions) };
  const corpus = await readCorpus(data, settings, signal);
  const run = await Run.start(start, corpus, settings, options);
  await run.finish();
  const files = encoderFiles(run.trainer, start, dtype);
  const adapters = new Map<string, Files>();
  const { groups, families } = REGIMES[settings.regime];
  for (const name of groups === "own" ? families : groups === "shared" ? ["shared"] : []) {
    adapters.set(name, await adapterFiles(run.trainer, start.config, settings, name, files));
  }
  return { encoder: files, adapters, head: writesHead ? headFiles(run.trainer, classNames(corpus)) : null, history: run.history() };
}

function settingsOf(options: PretrainingOptions): PretrainingSettings {
  return readSettings(Object.fromEntries(Object.entries(options).filter(([name]) => SETTING_FIELDS.has(name))), place("options", "argument-invalid"));
}

/** One run, from its first update or its checkpoint to its end. */
class Run {
  readonly trainer: Trainer;
  readonly #settings: PretrainingSettings;
  readonly #options: RunOptions;
  readonly #corpus: Corpus;
  readonly #identity: RunIdentity;
  readonly #batches: Batches;
  readonly #steps: StepRecord[] = [];
  readonly #probes: ProbeRecord[] = [];
  readonly #warnings: string[] = [];
  #seconds = 0;
  #tokens = 0;

  private constructor(trainer: Trainer, start: StartEncoder, corpus: Corpus, settings: PretrainingSettings, options: RunOptions, identity: RunIdentity) {
    this.trainer = trainer;
    this.#settings = settings;
    this.#options = options;
    this.#corpus = corpus;
    this.#identity = identity;
    this.#batches = new Batches(trainer.plan, start.tokenizer, corpus, settings);
  }

  static async start(start: StartEncoder, corpus: Corpus, settings: PretrainingSettings, options: RunOptions): Promise<Run> {
    const { peers, signal, machine, checkpoint } = options;
    const { config, fingerprint } = start;
    const trainer = await Trainer.start({ config, settings, classes: classNames(corpus).length, peers, signal, machine }, (m, parameters) => fillBackbone(m, parameters, start));
    const identity = { settings: settingsText(settings), encoder: fingerprint, files: await digestOfFiles(start.files), data: corpus.digest ?? "", build: trainer.machine.arithmetic, peers: String(peers.size) };
    const run = new Run(trainer, start, corpus, settings, options, identity);
    const kept = checkpoint === undefined ? null : await checkpoint.read();
    if (kept !== null) run.#goOn(readCheckpoint(trainer, kept, identity));
    return run;
  }

  #goOn({ steps, probes, warnings, seconds, tokens }: RunState): void {
    // Not by spreading them over an argument list, which holds 125,000.
    for (const step of steps) this.#steps.push(step);
    for (const probe of probes) this.#probes.push(probe);
    for (const warning of warnings) this.#warnings.push(warning);
    this.#seconds = seconds;
    this.#tokens = tokens;
  }

  async finish(): Promise<void> {
    const { checkpoint, checkpointEvery = 100, peers, signal } = this.#options;
    const { steps } = this.#settings;
    const keeps = checkpoint !== undefined && peers.rank === 0;
    const recent: { seconds: number; tokens: number }[] = [];
    try {
      for (;;) {
        await this.#probeMeans();
        if (this.trainer.step >= steps) break;
        recent.push(await this.#update());
        if (recent.length > SPEED_STEPS) recent.shift();
        this.#report(recent);
        if (keeps && (this.trainer.step % checkpointEvery === 0 || this.trainer.step === steps)) await checkpoint.write(this.#checkpoint());
      }
    } catch (error) {
      // An abort comes between two passes: no value has changed since the last update.
      if (signal?.aborted === true && keeps && this.trainer.step > 0) await checkpoint.write(this.#checkpoint());
      throw error;
    }
  }

  async #update(): Promise<{ seconds: number; tokens: number }> {
    const began = performance.now();
    const { record, probe } = await this.trainer.update(this.#batches.ofUpdate(this.trainer.step));
    const seconds = (performance.now() - began) / 1000;
    this.#steps.push(record);
    if (record.gradientNorm === null) this.#warnings.push(`update ${record.step}: the gradients were no finite numbers, and nothing was changed`);
    if (probe !== null) this.#probes.push({ step: record.step, batches: 1, parts: probe });
    this.#seconds += seconds;
    this.#tokens += record.tokens;
    return { seconds, tokens: record.tokens };
  }

  /** Where one is due and has not been made before a checkpoint. */
  async #probeMeans(): Promise<void> {
    const { batches } = this.#settings.probe;
    const { step } = this.trainer;
    const due = this.#batches.ofProbe(step);
    // A probe of an update's own batches compares none within a family.
    const isMade = this.#probes.some((probe) => probe.step === step && probe.batches === batches && probe.parts.some(({ ner }) => ner !== null));
    if (due === null || isMade) return;
    const began = performance.now();
    this.#probes.push({ step, batches, parts: await this.trainer.probeMeans(due) });
    this.#seconds += (performance.now() - began) / 1000;
  }

  #report(recent: readonly { seconds: number; tokens: number }[]): void {
    const { onProgress, peers } = this.#options;
    if (onProgress === undefined || peers.rank !== 0) return;
    const { step, ner, tc, accuracy } = this.#steps.at(-1)!;
    const seconds = recent.reduce((sum, part) => sum + part.seconds, 0);
    const tokens = recent.reduce((sum, part) => sum + part.tokens, 0);
    const { steps } = this.#settings;
    onProgress({ step, steps, ner, tc, accuracy, tokensPerSecond: tokens / seconds, secondsLeft: ((steps - step) * seconds) / recent.length });
  }

  #checkpoint(): Uint8Array {
    return writeCheckpoint(this.trainer, this.#identity, { steps: this.#steps, probes: this.#probes, warnings: this.#warnings, seconds: this.#seconds, tokens: this.#tokens });
  }

  history(): PretrainingHistory {
    const { encoder, build } = this.#identity;
    return {
      settings: this.#settings, encoder, data: this.#corpus.digest, build,
      sources: this.#corpus.sources, steps: this.#steps, probes: this.#probes, warnings: this.#warnings, seconds: this.#seconds, tokens: this.#tokens,
    };
  }
}

/** Settings as they are compared: sources are looked up by name, so that their order says nothing. */
function settingsText({ sources, ...settings }: PretrainingSettings): string {
  return JSON.stringify({ ...settings, sources: Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)) });
}

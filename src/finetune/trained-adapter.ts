import { writeFolder } from "../convert/write-folder.ts";
import { toSource, type OpenFile, type Source } from "../load/source.ts";
import type { Mistake, TrainingHistory } from "./types.ts";

/** A trained adapter: a source that `addAdapter` takes, and the files of a PEFT folder. */
export class TrainedAdapter implements Source {
  /** adapter_config.json, adapter_model.safetensors, config.json (labels) and README.md (model card). */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly history: TrainingHistory;
  /** For messages. */
  readonly location: string;
  readonly #source: Source;

  /** @internal */
  constructor(files: ReadonlyMap<string, Uint8Array>, history: TrainingHistory) {
    this.files = files;
    this.history = history;
    this.location = `the adapter "${history.name}" trained here`;
    this.#source = toSource(files);
  }

  /** Dev rows that were predicted wrongly, the largest loss first; none without dev. */
  get mistakes(): readonly Mistake[] {
    return this.history.mistakes ?? [];
  }

  open(file: string, options: { signal: AbortSignal | undefined }): Promise<OpenFile> {
    return this.#source.open(file, options);
  }

  /**
   * Writes the files as a folder: whole, or not at all.
   * @throws RootstockError `argument-invalid` when the folder exists and is not empty, `target-unwritable`.
   */
  async save(folder: string): Promise<void> {
    writeFolder(folder, Array.from(this.files, ([name, bytes]) => ({ name, parts: [bytes] })));
  }
}

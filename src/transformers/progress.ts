import type { Source } from "../load/source.ts";
import { orClose } from "../runtime/files.ts";

/** Bytes of a file so far, and in all. */
export interface FileProgress {
  loaded: number;
  total: number;
}

/**
 * What `progress_callback` is called with. `name` is the folder, `file` the name of a file in it; those of an adapter
 * begin with "adapter/", since both folders have a config.json. `progress` is 0 to 100.
 */
export type ProgressInfo =
  | { status: "initiate" | "download" | "done"; name: string; file: string }
  | ({ status: "progress"; name: string; file: string; progress: number } & FileProgress)
  | ({ status: "progress_total"; name: string; progress: number; files: Record<string, FileProgress> } & FileProgress)
  | { status: "ready"; task: string; model: string };

export type ProgressCallback = (info: ProgressInfo) => void;

/** Tells a callback about the files of several folders as they are read. */
export class ProgressReport {
  readonly #tell: ProgressCallback;
  readonly #files = new Map<string, FileProgress>();

  constructor(tell: ProgressCallback) {
    this.#tell = tell;
  }

  /** The same folder, with its reading told. A file that is not there is not told of: some are looked for only. */
  watch(source: Source, prefix: string): Source {
    const name = source.location;
    return {
      location: name,
      open: async (plain, options) => {
        const opened = await source.open(plain, options);
        const file = prefix + plain;
        await orClose(opened, () => {
          this.#tell({ status: "initiate", name, file });
          this.#tell({ status: "download", name, file });
        });
        const { size, chunks, isChecked = false } = opened;
        return { size, isChecked, chunks: this.#count(chunks, name, file, size), close: async () => opened.close?.() };
      },
    };
  }

  ready(task: string, model: string): void {
    this.#tell({ status: "ready", task, model });
  }

  async *#count(chunks: AsyncIterable<Uint8Array>, name: string, file: string, size: number | null): AsyncGenerator<Uint8Array> {
    let loaded = 0;
    for await (const chunk of chunks) {
      loaded += chunk.byteLength;
      this.#step(name, file, { loaded, total: size ?? loaded });
      // Whoever knows the size asks for nothing after it, so that the loop may never end by itself.
      if (loaded === size) this.#tell({ status: "done", name, file });
      yield chunk;
    }
    if (loaded !== size) this.#tell({ status: "done", name, file });
  }

  #step(name: string, file: string, bytes: FileProgress): void {
    this.#files.set(file, bytes);
    const all = { loaded: 0, total: 0 };
    for (const { loaded, total } of this.#files.values()) {
      all.loaded += loaded;
      all.total += total;
    }
    const files = Object.fromEntries([...this.#files].map(([key, value]) => [key, { ...value }]));
    this.#tell({ status: "progress_total", name, progress: percent(all), ...all, files });
    this.#tell({ status: "progress", name, file, progress: percent(bytes), ...bytes });
  }
}

function percent({ loaded, total }: FileProgress): number {
  return total === 0 ? 0 : (loaded / total) * 100;
}

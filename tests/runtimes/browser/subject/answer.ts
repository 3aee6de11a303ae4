import { cached, clearCache } from "../../../../src/browser/index.ts";
import { loadEncoder, RootstockError, type EncoderInfo, type Results } from "../../../../src/index.ts";

/** What a test asks of a page or worker. */
export interface Job {
  readonly model: string;
  /** Adapter folders by task. */
  readonly adapters?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly adapterBudget?: number;
  /** Delete the cache before. */
  readonly isFirst?: boolean;
  /** Abort when so many bytes of the weights have arrived. */
  readonly abortAfter?: number;
}

export interface Answer {
  readonly results?: Results;
  readonly info?: EncoderInfo;
  /** Descriptors of every WebAssembly.Memory that was made. */
  readonly memories: readonly WebAssembly.MemoryDescriptor[];
  /** Of onProgress: the last call, and whether none went back. */
  readonly progress?: { readonly done: number; readonly total: number; readonly rises: boolean };
  readonly error?: string;
}

/** Loads, adds and runs as an application would; everything is dropped afterwards. */
export async function answer(job: Job): Promise<Answer> {
  const memories: WebAssembly.MemoryDescriptor[] = [];
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(descriptor);
    }
  };
  try {
    if (job.isFirst === true) await clearCache();
    return { ...(await run(job)), memories };
  } catch (error) {
    return { memories, error: error instanceof RootstockError ? error.code : String(error) };
  } finally {
    WebAssembly.Memory = Memory;
  }
}

async function run({ model, adapters = {}, text, adapterBudget, abortAfter = Infinity }: Job): Promise<Omit<Answer, "memories">> {
  const controller = new AbortController();
  const progress = { done: 0, total: 0, rises: true };
  using encoder = await loadEncoder(cached(model), {
    signal: controller.signal,
    ...(adapterBudget === undefined ? {} : { adapterBudget }),
    onProgress({ done, total }) {
      progress.rises &&= done >= progress.done;
      Object.assign(progress, { done, total });
      if (done >= abortAfter) controller.abort("enough");
    },
  });
  for (const [name, folder] of Object.entries(adapters)) await encoder.addAdapter(name, cached(folder));
  const results = text === undefined ? {} : await encoder.run(text, Object.keys(adapters), { topK: null });
  return { results, info: encoder.info, progress };
}

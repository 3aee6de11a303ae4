import type { EncoderConfig } from "../format/types.ts";
import type { TrunkState } from "../run/pass-text.ts";
import type { Call, TextWork, WorkBranch } from "./call.ts";
import type { Pace } from "./event-loop.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import type { TextOptions } from "./options.ts";
import { firstLayerOf, type WorkQueue } from "./queue.ts";
import { atRequest, encodeText, type Content, type EncodedText, type PartOptions } from "./requests.ts";
import type { TrunkCache } from "./trunk-cache.ts";

/** What texts run on. */
export interface TextRuntime {
  readonly loaded: LoadedEncoder;
  readonly pace: Pace;
  readonly queue: WorkQueue;
  readonly trunks: TrunkCache;
}

/** Encodes texts, with turns of the event loop between them, and runs their branches: a list a task, of one a window. */
export async function runTexts(
  { loaded, pace, queue, trunks }: TextRuntime,
  call: Call,
  contents: readonly Content[],
  options: TextOptions & PartOptions,
  branchesOf: (text: EncodedText, index: number) => readonly (readonly WorkBranch[])[],
): Promise<void> {
  const { layers } = loaded.machine.plan.config;
  const work: TextWork[] = [];
  const made = new MadeTrunks(trunks, loaded.machine.plan.config);
  for (const [index, content] of contents.entries()) {
    if (pace.isDue) {
      await pace.turn();
      if (call.isOver) break;
    }
    const kept = typeof content === "object" && "states" in content ? content : null;
    let text: EncodedText;
    try {
      text = kept?.text ?? encodeText(loaded, content as string | readonly string[], options);
    } catch (error) {
      throw atRequest(error, index, contents.length, options);
    }
    const branches = branchesOf(text, index);
    if (branches.length === 0) continue;
    for (const [at, { ids }] of text.windows.entries()) {
      const own = branches.map((list) => list[at]!);
      const trunk = kept?.states[at] ?? made.trunkOf(ids, own);
      work.push(...trunkTexts({ ids, branches: own }, trunk, layers));
    }
  }
  await queue.run(call, work);
  made.keep();
}

/** The trunks that a call makes for the cache, as many as that holds: all are on the heap until the call is done. */
class MadeTrunks {
  readonly #cache: TrunkCache;
  readonly #config: EncoderConfig;
  readonly #made: [ids: Int32Array, state: TrunkState][] = [];
  #bytes = 0;

  constructor(cache: TrunkCache, config: EncoderConfig) {
    this.#cache = cache;
    this.#config = config;
  }

  /** The trunk of a text seen before, or one to be kept when the call is done; undefined where there is no room for it. */
  trunkOf(ids: Int32Array, branches: readonly WorkBranch[]): TrunkState | undefined {
    const { layers, hidden } = this.#config;
    const depth = Math.min(...branches.map((branch) => firstLayerOf(branch, layers - 1)).filter((first) => first > 0));
    if (!this.#cache.isOn || depth === Infinity) return undefined;
    const known = this.#cache.get(ids, depth);
    if (known !== undefined) return known;
    const bytes = ids.length * hidden * 4;
    if (this.#bytes + bytes > this.#cache.budget) return undefined;
    this.#bytes += bytes;
    const state: TrunkState = { depth, rows: null };
    this.#made.push([ids, state]);
    return state;
  }

  keep(): void {
    for (const [ids, state] of this.#made) this.#cache.set(ids, state);
  }
}

/** Branches that part from a trunk above its depth start there, the others from the text; each list by first layer. */
function trunkTexts({ ids, branches }: TextWork, trunk: TrunkState | undefined, layers: number): TextWork[] {
  const sorted = [...branches].sort((a, b) => firstLayerOf(a, layers) - firstLayerOf(b, layers));
  if (trunk === undefined) return [{ ids, branches: sorted }];
  const below = sorted.filter((branch) => firstLayerOf(branch, layers) < trunk.depth);
  const above = sorted.slice(below.length);
  return [
    ...(below.length > 0 ? [{ ids, branches: below }] : []),
    ...(above.length > 0 ? [{ ids, branches: above, trunk }] : []),
  ];
}

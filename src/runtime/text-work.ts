import type { EncoderConfig } from "../format/types.ts";
import type { TrunkState } from "../run/pass-text.ts";
import type { Call, TextWork, WorkBranch } from "./call.ts";
import type { Pace } from "./event-loop.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import type { TextOptions } from "./options.ts";
import { firstLayerOf, type WorkQueue } from "./queue.ts";
import { atRequest, encodeText, textLimits, type Content, type EncodedText, type PartOptions } from "./requests.ts";
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
  const { config } = loaded.machine.plan;
  const limits = textLimits(loaded, options);
  const work: TextWork[] = [];
  const made: MadeTrunks = { list: [], room: trunks.budget };
  for (const [index, content] of contents.entries()) {
    if (pace.isDue) {
      await pace.turn();
      if (call.isOver) break;
    }
    const kept = typeof content === "object" && "states" in content ? content : null;
    let text: EncodedText;
    try {
      text = kept?.text ?? encodeText(loaded, content as string | readonly string[], limits);
    } catch (error) {
      throw atRequest(error, index, contents.length, options);
    }
    const branches = branchesOf(text, index);
    if (branches.length === 0) continue;
    for (const [at, { ids }] of text.windows.entries()) {
      const own = branches.map((list) => list[at]!);
      const trunk = kept?.states[at] ?? cachedTrunk(trunks, made, ids, own, config);
      work.push(...trunkTexts({ ids, branches: own }, trunk, config.layers));
    }
  }
  await queue.run(call, work);
  for (const [ids, state] of made.list) trunks.set(ids, state);
}

/** The trunk of a text seen before, or one to be kept when the call is done; undefined where there is no cache, or no room in it for those of this call. */
function cachedTrunk(trunks: TrunkCache, made: MadeTrunks, ids: Int32Array, branches: readonly WorkBranch[], { layers, hidden }: EncoderConfig): TrunkState | undefined {
  if (!trunks.isOn) return undefined;
  const depths = branches.map((branch) => firstLayerOf(branch, layers - 1)).filter((depth) => depth > 0);
  if (depths.length === 0) return undefined;
  const depth = Math.min(...depths);
  const known = trunks.get(ids, depth);
  if (known !== undefined) return known;
  const bytes = ids.length * hidden * 4;
  if (bytes > made.room) return undefined;
  made.room -= bytes;
  const state: TrunkState = { depth, rows: null };
  made.list.push([ids, state]);
  return state;
}

/** Those that a call makes for the cache: they are on the heap until it is done, so there are no more than that holds. */
interface MadeTrunks {
  readonly list: (readonly [ids: Int32Array, state: TrunkState])[];
  /** Bytes. */
  room: number;
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

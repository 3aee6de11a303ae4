import { describe, RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import type { Item } from "./arrangement.ts";
import type { Machine } from "./forward.ts";
import type { PassText } from "./pass-text.ts";

/** A text as input ids. */
export type TextIds = Pick<PassText, "ids" | "mask">;

/**
 * A copy of one text's ids and mask, each entry read once: another thread may write to shared memory while it is checked, and kernels
 * trust what was.
 * @throws RootstockError `ids-invalid`, `text-too-long`.
 */
export function checkRows(config: EncoderConfig, { ids, mask }: TextIds): { ids: Int32Array; mask: Uint8Array | undefined } {
  const count = typeof ids === "object" && ids !== null ? ids.length : NaN;
  if (!Number.isInteger(count)) throw new RootstockError("ids-invalid", "the input ids must be an array of whole numbers.");
  if (count < 1) throw new RootstockError("ids-invalid", "the input ids are empty; a text has at least its special tokens.");
  if (count > config.maxPositions) {
    throw new RootstockError(
      "text-too-long",
      `the text has ${count} tokens and the encoder reads ${config.maxPositions}. Shorten it.`,
    );
  }
  const ownIds = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= config.vocabulary) {
      throw new RootstockError("ids-invalid", `input id ${describe(id)} at position ${i} is not in 0…${config.vocabulary - 1}, the encoder's vocabulary.`);
    }
    ownIds[i] = id;
  }
  if (mask === undefined) return { ids: ownIds, mask };
  if (mask?.length !== count) {
    throw new RootstockError("ids-invalid", `the attention mask has ${mask?.length ?? "no"} entries for ${count} input ids. Give one a token, or none at all.`);
  }
  const ownMask = new Uint8Array(count);
  for (let i = 0; i < count; i++) ownMask[i] = mask[i] ? 1 : 0;
  return { ids: ownIds, mask: ownMask };
}

/** Writes the ids, positions and types of one text's rows, from row `first` of their buffers on. */
export function writeIds(
  { i32 }: LinearMemory,
  { positionOffset, padId }: EncoderConfig,
  work: Readonly<Record<"ids" | "positions" | "types", Address>>,
  ids: ArrayLike<number>,
  first: number,
): void {
  let position = positionOffset;
  for (let i = 0, row = first; i < ids.length; i++, row++) {
    const id = ids[i]!;
    i32[(work.ids >>> 2) + row] = id;
    // RoBERTa counts real tokens only, and gives padding the row of the padding id.
    i32[(work.positions >>> 2) + row] = positionOffset > 0 && id === padId ? padId : position++;
    i32[(work.types >>> 2) + row] = 0;
  }
}

/**
 * Writes the ids, positions and types of the rows of the embeddings, and the texts' key masks. A text's mask stays where it
 * is, wherever its rows go.
 * @returns the address of each text's mask, 0 without one
 */
export function fillRows(m: Machine, texts: readonly TextIds[], items: readonly Pick<Item, "text" | "first">[]): Address[] {
  const { work, memory } = m;
  for (const { text, first } of items) writeIds(memory, m.plan.config, work, texts[text]!.ids, first);
  const { u8 } = memory;
  let at = work.mask;
  return texts.map(({ ids, mask }) => {
    if (mask === undefined) return 0;
    const address = at;
    for (let i = 0; i < ids.length; i++) u8[at++] = mask[i] ? 1 : 0;
    return address;
  });
}

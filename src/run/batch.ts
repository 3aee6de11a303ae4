import { RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import type { Batch, Machine, Segment } from "./forward.ts";

/** One text as the forward pass takes it. */
export interface TextRows {
  /** Token ids, special tokens included. */
  readonly ids: ArrayLike<number>;
  /** 1 = attend, 0 = leave out as a key; all 1 when absent. */
  readonly mask?: ArrayLike<number> | undefined;
}

/** @throws RootstockError `ids-invalid`, `text-too-long`. */
export function checkRows(config: EncoderConfig, { ids, mask }: TextRows): void {
  if (typeof ids !== "object" || ids === null || !Number.isInteger(ids.length)) {
    throw new RootstockError("ids-invalid", "the input ids must be an array of whole numbers.");
  }
  if (ids.length < 1) throw new RootstockError("ids-invalid", "the input ids are empty; a text has at least its special tokens.");
  if (ids.length > config.maxPositions) {
    throw new RootstockError(
      "text-too-long",
      `the text has ${ids.length} tokens and the encoder reads ${config.maxPositions}. Shorten it, or pass overflow: "truncate".`,
    );
  }
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= config.vocabulary) {
      throw new RootstockError("ids-invalid", `input id ${id} at position ${i} is not in 0…${config.vocabulary - 1}, the encoder's vocabulary.`);
    }
  }
  if (mask !== undefined && mask?.length !== ids.length) {
    throw new RootstockError("ids-invalid", `the attention mask has ${mask?.length ?? "no"} entries for ${ids.length} input ids. Give one a token, or none at all.`);
  }
}

/** Writes the texts' token rows one after the other: a matrix without padding, and where each text lies in it. */
export function fillBatch(m: Machine, texts: readonly TextRows[]): Batch {
  const { config } = m.plan;
  const { work, memory } = m;
  const segments: Segment[] = [];
  const { i32, u8 } = memory;
  let rows = 0;
  for (const { ids, mask } of texts) {
    segments.push({ first: rows, length: ids.length });
    let position = config.positionOffset;
    for (let i = 0; i < ids.length; i++, rows++) {
      const id = ids[i]!;
      i32[(work.ids >>> 2) + rows] = id;
      // RoBERTa counts real tokens only, and gives padding the row of the padding id.
      const padding = config.positionOffset > 0 && id === config.padId;
      i32[(work.positions >>> 2) + rows] = padding ? config.padId : position++;
      i32[(work.types >>> 2) + rows] = 0;
      u8[work.mask + rows] = mask === undefined || mask[i] ? 1 : 0;
    }
  }
  return { rows, segments, masked: texts.some(({ mask }) => mask !== undefined) };
}

/** Splits texts, kept in order, into passes of at most `maxRows` token rows. */
export function passes<T extends { readonly ids: ArrayLike<number> }>(texts: readonly T[], maxRows: number): T[][] {
  const result: T[][] = [];
  let rows = Infinity;
  for (const text of texts) {
    if (rows + text.ids.length > maxRows) {
      result.push([]);
      rows = 0;
    }
    result.at(-1)!.push(text);
    rows += text.ids.length;
  }
  return result;
}

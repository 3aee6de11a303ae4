import { RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp, type Layout } from "../wasm/memory.ts";
import { attentionScratchBytes } from "../wasm/scratch.ts";

/** Low-rank intermediates are made in chunks of rows that fit here: 512 rows of rank 32. */
const LOW_RANK_ELEMENTS = 16_384;

/** Kernels that walk a buffer from address to address compare signed integers, so no buffer may cross this one. */
const END_OF_POSITIVE = 2 ** 31;

/**
 * The forward pass's buffers, reserved once: nothing is allocated while texts run. Shapes are for `rows` token rows
 * (a multiple of 4); f32 unless said.
 */
export interface Workspace {
  readonly rows: number;
  /** i32[rows] */
  readonly ids: Address;
  readonly positions: Address;
  readonly types: Address;
  /** u8[rows]: 0 = a key that attention leaves out */
  readonly mask: Address;
  /** Activation codes and terms of the rows that the next products read. */
  readonly codes: Address;
  readonly rowTerms: Address;
  /** [rows][embeddingSize] */
  readonly embedded: Address;
  /** [rows][hidden]: the state between layers; `trunk` keeps a copy where adapters part from the encoder. */
  readonly hidden: Address;
  readonly trunk: Address;
  readonly query: Address;
  readonly key: Address;
  readonly value: Address;
  readonly context: Address;
  /** [rows][hidden]: output of a product before its residual LayerNorm. */
  readonly projected: Address;
  /** [rows][hidden]: after the attention's LayerNorm. */
  readonly attended: Address;
  /** [rows][intermediate] */
  readonly wide: Address;
  /** One head's transposed keys and scores. */
  readonly attentionScratch: Address;
  readonly lowRank: Address;
  readonly lowRankElements: number;
  /** [rows][hidden]: first-token rows, and the head's dense layer. */
  readonly pooled: Address;
  readonly headHidden: Address;
  readonly logits: Address;
  readonly logitElements: number;
}

/** @throws RootstockError `limit-exceeded` beyond 2 GiB. */
export function planWorkspace(
  config: EncoderConfig,
  maxRows: number,
  codeBytes: number,
  maxClasses: number,
  layout: Layout,
): Workspace {
  const rows = alignUp(maxRows, 4);
  const { hidden, intermediate, embeddingSize, headSize } = config;
  const widest = alignUp(Math.max(hidden, intermediate, embeddingSize), 4);
  const floats = (count: number): Address => layout.reserve(count * 4);
  const logitElements = Math.max(rows * 64, maxClasses);
  const work: Workspace = {
    rows,
    ids: layout.reserve(rows * 4),
    positions: layout.reserve(rows * 4),
    types: layout.reserve(rows * 4),
    mask: layout.reserve(rows),
    codes: layout.reserve(rows * widest * codeBytes),
    rowTerms: layout.reserve(rows * 16),
    embedded: floats(rows * embeddingSize),
    hidden: floats(rows * hidden),
    trunk: floats(rows * hidden),
    query: floats(rows * hidden),
    key: floats(rows * hidden),
    value: floats(rows * hidden),
    context: floats(rows * hidden),
    projected: floats(rows * hidden),
    attended: floats(rows * hidden),
    wide: floats(rows * intermediate),
    attentionScratch: layout.reserve(attentionScratchBytes(rows, headSize)),
    lowRank: floats(LOW_RANK_ELEMENTS),
    lowRankElements: LOW_RANK_ELEMENTS,
    pooled: floats(rows * hidden),
    headHidden: floats(rows * hidden),
    logits: floats(logitElements),
    logitElements,
  };
  if (layout.end < END_OF_POSITIVE) return work;
  throw new RootstockError(
    "limit-exceeded",
    `config.json: texts of ${maxRows} tokens in an encoder of width ${hidden} need buffers of ${layout.end} bytes, and 2 GiB are the most. Use an encoder with fewer positions (max_position_embeddings).`,
  );
}

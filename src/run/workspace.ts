import { RootstockError } from "../errors.ts";
import type { EncoderConfig } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp, END_OF_POSITIVE, type Layout } from "../wasm/memory.ts";
import { attentionScratchBytes } from "../wasm/scratch.ts";

/**
 * Rows that go through a linear layer at once: what lies between two products needs room for no more, and the event loop
 * can turn between two blocks. 24 to 96 rows run alike; 24 take 1 ms of a layer on a slow desktop core, 4 ms on a slow
 * phone's. A multiple of the products' tiles of 6 and 4 rows.
 */
const BLOCK_ROWS = 24;

/** Low-rank intermediates are made in chunks of rows that fit here: a block of rank 340. */
const LOW_RANK_ELEMENTS = 16_384;

/**
 * The forward pass's buffers, reserved once: nothing is allocated while texts run. Shapes are for `rows` token rows and
 * `block` rows of a block; f32 unless said.
 */
export interface Workspace {
  /** Most token rows of a pass, a multiple of 4. */
  readonly rows: number;
  readonly block: number;
  /** i32[rows]; `ids` holds the indices of the rows that are read once the embeddings are made. */
  readonly ids: Address;
  readonly positions: Address;
  readonly types: Address;
  /** u8[rows]: 0 = a key that attention leaves out */
  readonly mask: Address;
  /** [rows][hidden]: the state between layers, and the same again in another order of rows. */
  readonly states: readonly [Address, Address];
  /** [rows][hidden]; attention writes its result over the queries. */
  readonly query: Address;
  readonly key: Address;
  readonly value: Address;
  /** One head's packed keys, values and scores. */
  readonly attentionScratch: Address;
  /** Activation codes and row terms of the block that the next products read. */
  readonly codes: Address;
  readonly rowTerms: Address;
  /** [block][embeddingSize] */
  readonly embedded: Address;
  /** [block][hidden]: output of a product before its residual LayerNorm. */
  readonly projected: Address;
  /** [block][hidden]: after the attention's LayerNorm. */
  readonly attended: Address;
  /** [block][intermediate] */
  readonly wide: Address;
  readonly lowRank: Address;
  readonly lowRankElements: number;
  /** [block][hidden]: rows that a head reads, and its dense layer's. */
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
  const block = BLOCK_ROWS;
  const { hidden, intermediate, embeddingSize, headSize, maxPositions } = config;
  const widest = alignUp(Math.max(hidden, intermediate, embeddingSize), 4);
  const floats = (count: number): Address => layout.reserve(count * 4);
  const logitElements = Math.max(block * 64, maxClasses);
  const work: Workspace = {
    rows,
    block,
    ids: layout.reserve(rows * 4),
    positions: layout.reserve(rows * 4),
    types: layout.reserve(rows * 4),
    mask: layout.reserve(rows),
    states: [floats(rows * hidden), floats(rows * hidden)],
    query: floats(rows * hidden),
    key: floats(rows * hidden),
    value: floats(rows * hidden),
    attentionScratch: layout.reserve(attentionScratchBytes(maxPositions, headSize)),
    codes: layout.reserve(block * widest * codeBytes),
    rowTerms: layout.reserve(block * 16),
    embedded: floats(block * embeddingSize),
    projected: floats(block * Math.max(hidden, embeddingSize)),
    attended: floats(block * hidden),
    wide: floats(block * intermediate),
    lowRank: floats(LOW_RANK_ELEMENTS),
    lowRankElements: LOW_RANK_ELEMENTS,
    pooled: floats(block * hidden),
    headHidden: floats(block * hidden),
    logits: floats(logitElements),
    logitElements,
  };
  if (layout.end < END_OF_POSITIVE) return work;
  throw new RootstockError(
    "limit-exceeded",
    `config.json: texts of ${maxRows} tokens in an encoder of width ${hidden} need buffers of ${layout.end} bytes, and 2 GiB are the most. Use an encoder with fewer positions (max_position_embeddings).`,
  );
}

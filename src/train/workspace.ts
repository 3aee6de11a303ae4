import type { EncoderConfig } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp, type Layout } from "../wasm/memory.ts";
import { attentionScratchBytes } from "../wasm/scratch.ts";
import { trainAttentionBytes } from "./scratch.ts";

/** Rows that are quantised at once, as in serving: their codes stay in the cache. */
const BLOCK_ROWS = 24;
/** Of one activation code: 1 or 2, and 4 where tests serve in float32. */
const CODE_BYTES = 4;

/** What lies between two steps and is not kept, reserved once. Shapes are for `rows` token rows; f32 unless said. */
export interface TrainWorkspace {
  /** Most token rows of a pass. */
  readonly rows: number;
  /** Most tokens of one text. */
  readonly longest: number;
  readonly block: number;
  /** i32 [rows]: ids, positions and types of the embeddings. */
  readonly ids: Address;
  readonly positions: Address;
  readonly types: Address;
  /** i32 [rows]: rows of the last state that a head reads. */
  readonly read: Address;
  /** Activation codes and row terms of a block. */
  readonly codes: Address;
  readonly rowTerms: Address;
  /** [rows][widest]: u ∘ x, dx before u, W + s·BA by rows */
  readonly scaled: Address;
  /** [rows][widest]: x after dropout */
  readonly dropped: Address;
  /** [widest][rows rounded up to 4]: dYᵀ */
  readonly transposed: Address;
  /** ⌈widest/8⌉ panels of `rows` steps: X */
  readonly panels: Address;
  /** [rows][most rank]: the gradient of A x, and A x times s */
  readonly lowRank: Address;
  readonly lowRankScaled: Address;
  /** [2][widest] */
  readonly sums: Address;
  readonly attention: Address;
  /** [rows][hidden] each: gradients of a layer's states, of query, key, value and of what attention gives. */
  readonly dState: Address;
  readonly dResidual: Address;
  readonly dQuery: Address;
  readonly dKey: Address;
  readonly dValue: Address;
  readonly dContext: Address;
  /** [rows][the larger of intermediate and embeddingSize]: gradients inside a feed-forward block, and before the embeddings' projection */
  readonly dWide: Address;
}

export interface WorkspaceLimits {
  /** Most token rows of a forward pass. */
  readonly rows: number;
  /** Most tokens of one text. */
  readonly longest: number;
  /** Most rank of a slot. */
  readonly rank: number;
  /** Most outputs of a head. */
  readonly classes: number;
}

export function planTrainWorkspace(layout: Layout, config: EncoderConfig, { rows: wanted, longest, rank, classes }: WorkspaceLimits): TrainWorkspace {
  const rows = alignUp(wanted, 4);
  const { hidden, intermediate, embeddingSize, headSize } = config;
  const widest = alignUp(Math.max(hidden, intermediate, embeddingSize, classes), 8);
  const floats = (count: number): Address => layout.reserve(count * 4);
  return {
    rows,
    longest,
    block: BLOCK_ROWS,
    ids: floats(rows),
    positions: floats(rows),
    types: floats(rows),
    read: floats(rows),
    codes: layout.reserve(BLOCK_ROWS * widest * CODE_BYTES),
    rowTerms: layout.reserve(BLOCK_ROWS * 16),
    scaled: floats(rows * widest),
    dropped: floats(rows * widest),
    transposed: floats(rows * widest),
    panels: floats(rows * widest),
    lowRank: floats(rows * alignUp(rank, 4)),
    lowRankScaled: floats(rows * alignUp(rank, 4)),
    sums: floats(2 * widest),
    attention: layout.reserve(Math.max(trainAttentionBytes(longest, longest, headSize), attentionScratchBytes(longest, headSize))),
    dState: floats(rows * hidden),
    dResidual: floats(rows * hidden),
    dQuery: floats(rows * hidden),
    dKey: floats(rows * hidden),
    dValue: floats(rows * hidden),
    dContext: floats(rows * hidden),
    dWide: floats(rows * Math.max(intermediate, embeddingSize)),
  };
}

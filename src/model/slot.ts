import type { LayerLinear, LayerNormPart } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";

/**
 * What a weight-side adapter adds to one linear layer:
 *
 *     y = g ∘ (W(u ∘ x) + s·B(A x)) + c
 *
 * LoRA: A, B. rsLoRA: another s. DoRA: g = m / ‖W + sBA‖ a row. (IA)³: g on attention projections, u on feed-forward
 * inputs. Bias variants: c. The product adds the encoder's own bias b, so `shift` holds c − g∘b + g∘s·(bias of B).
 * An address of 0 leaves that part out.
 */
export interface Slot {
  /** u times the encoder's own input scale, f32[inputs] */
  readonly inputScale: Address;
  /** Aᵀ, f32[inputs][rank rounded up to 4] */
  readonly down: Address;
  readonly rank: number;
  /** s·Bᵀ, f32[rank][outputs rounded up to 4] */
  readonly up: Address;
  /** g, f32[outputs] */
  readonly outputScale: Address;
  /** f32[outputs] */
  readonly shift: Address;
}

/** Low-rank rows added to an embedding table: row += s·B·A[:, id]. */
export interface EmbeddingSlot {
  /** Aᵀ, f32[table rows][rank rounded up to 4] */
  readonly table: Address;
  readonly rank: number;
  /** s·Bᵀ, f32[rank][width rounded up to 4] */
  readonly up: Address;
}

/** An adapter's part in one transformer layer; norms hold the address of a bias that replaces the encoder's. */
export type LayerSlots = Readonly<Partial<Record<LayerLinear, Slot>> & Partial<Record<LayerNormPart, Address>>>;

export interface EmbeddingSlots {
  readonly word: EmbeddingSlot | null;
  readonly position: EmbeddingSlot | null;
  readonly type: EmbeddingSlot | null;
  /** Address of a LayerNorm bias that replaces the encoder's, or 0. */
  readonly normBias: Address;
  readonly projection: Slot | null;
}

export type HeadActivation = "tanh" | "relu" | "gelu";

/** A dense layer of a head in float32: weights f32[inputs][outputs rounded up to 4], bias f32[outputs]. */
export interface DensePlace {
  readonly weights: Address;
  readonly bias: Address;
  readonly inputs: number;
  readonly outputs: number;
}

/** From hidden rows to logits. */
export interface Head {
  /** "sequence": the first token's row, one row of logits a text. "token": one row of logits a token. */
  readonly kind: "sequence" | "token";
  /** Does the encoder's own pooler (dense, tanh) come first, with `poolerSlot`? */
  readonly usesPooler: boolean;
  readonly poolerSlot: Slot | null;
  /** A dense layer of the head's own before the classifier. */
  readonly dense: (DensePlace & { readonly activation: HeadActivation }) | null;
  readonly classifier: DensePlace;
}

/** Everything the forward pass needs of an adapter. */
export interface AdapterPlan {
  /** First layer that differs from the encoder: below it lies the trunk. −1 when the embeddings differ. */
  readonly firstLayer: number;
  readonly embeddings: EmbeddingSlots | null;
  /** One entry a layer; null where the adapter leaves the layer alone. */
  readonly layers: readonly (LayerSlots | null)[];
  /** Does any slot scale its layer's input? Such rows are quantised apart from others. */
  readonly scalesInputs: boolean;
  readonly head: Head | null;
}

import { RootstockError } from "../errors.ts";
import type { AdapterDescription, AdapterSite, EmbeddingTable, HeadDescription } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp, type LinearMemory } from "../wasm/memory.ts";
import { BLOCK_ALIGNMENT } from "../wasm/pool.ts";
import { denseValues, embeddingValues, slotValues, type ReadTensor } from "./adapter-values.ts";
import { finite } from "./finite.ts";
import type { EncoderPlan } from "./plan.ts";
import type { AdapterPlan, DensePlace, EmbeddingSlot, Head, LayerSlots, Slot } from "./slot.ts";
import type { LinearPlace, WeightFormat } from "./weight-format.ts";

/** The encoder that an adapter belongs to. */
export interface AdapterHost {
  readonly memory: LinearMemory;
  readonly plan: EncoderPlan;
  readonly format: WeightFormat;
}

/** An adapter's numbers before they have a place: one block, and the plan as if it began at address 0. */
export interface AdapterNumbers {
  readonly plan: AdapterPlan;
  readonly bytes: number;
  /** Writes all of them to `bytes` bytes; those between parts stay as they are. */
  readonly write: (to: Uint8Array) => void;
}

/**
 * Computes an adapter's numbers, in steps of a few milliseconds at most: DoRA's norms take seconds at large ranks. The encoder is only read.
 * @throws RootstockError `tensor-value`, `adapter-mismatch`.
 */
export function* adapterNumbers(host: AdapterHost, description: AdapterDescription, read: ReadTensor): Generator<void, AdapterNumbers> {
  const block = new Block();
  const plan = yield* placeAdapter(host, description, read, block);
  return { plan, bytes: alignUp(block.bytes, BLOCK_ALIGNMENT), write: (to) => block.write(to) };
}

/** Numbers waiting for an address. */
class Block {
  readonly #parts: { offset: number; values: Float32Array }[] = [];
  /** No part begins at 0, which means "none" in a plan. */
  bytes = 16;

  /** Its offset in the block, 16-byte aligned for whole-vector loads. */
  add(values: Float32Array): number {
    const offset = this.bytes;
    this.#parts.push({ offset, values });
    this.bytes = alignUp(offset + values.byteLength, 16); // no bit operation: a block may have more than 2 GiB
    return offset;
  }

  write(to: Uint8Array): void {
    for (const { offset, values } of this.#parts) to.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
  }
}

function* placeAdapter(host: AdapterHost, description: AdapterDescription, read: ReadTensor, block: Block): Generator<void, AdapterPlan> {
  const { plan } = host;
  const { storedLayers } = plan.config;
  const layers: Record<string, Slot | Address>[] = Array.from({ length: storedLayers }, () => ({}));
  const outside: Record<string, Slot> = {};
  for (const site of description.sites) {
    const { layer, part } = site.site;
    const place = layer === null ? plan[part] : plan.layers[layer]![part];
    if (place === null) throw noPooler();
    const slot = yield* placeSlot(host, site, place, read, block);
    if (layer === null) outside[part] = slot;
    else layers[layer]![part] = slot;
  }
  let embeddingBias: Address = 0;
  for (const { site, bias } of description.normBias) {
    const address = block.add(finite(read(bias), bias));
    if (site.layer === null) embeddingBias = address;
    else layers[site.layer]![site.part] = address;
  }
  const tables: Partial<Record<EmbeddingTable, EmbeddingSlot>> = {};
  for (const site of description.embeddingSites) {
    const { table, up } = embeddingValues(site, read);
    tables[site.part] = { table: block.add(table), rank: site.rank, up: block.add(up) };
  }
  if (description.needsPooler && plan.pooler === null) throw noPooler();
  const head = description.head && placeHead(description.head, outside["pooler"] ?? null, read, block);
  const slots = layers.map((parts) => (Object.keys(parts).length === 0 ? null : (parts as LayerSlots)));
  return {
    firstLayer: description.firstAdaptedLayer,
    embeddings:
      description.firstAdaptedLayer >= 0
        ? null
        : {
            word: tables.word ?? null,
            position: tables.position ?? null,
            type: tables.type ?? null,
            normBias: embeddingBias,
            projection: outside["projection"] ?? null,
          },
    layers: plan.layers.map((_, layer) => slots[layer % storedLayers]!),
    scalesInputs: description.sites.some(({ inputScale }) => inputScale !== undefined),
    head,
  };
}

function* placeSlot(host: AdapterHost, site: AdapterSite, place: LinearPlace, read: ReadTensor, block: Block): Generator<void, Slot> {
  const { rank, ...values } = yield* slotValues(site, read, host.memory, place, host.format);
  const add = (part: Float32Array | undefined): Address => (part === undefined ? 0 : block.add(part));
  return {
    inputScale: add(values.inputScale),
    down: add(values.down),
    rank,
    up: add(values.up),
    outputScale: add(values.outputScale),
    shift: add(values.shift),
  };
}

function placeHead(head: HeadDescription, poolerSlot: Slot | null, read: ReadTensor, block: Block): Head {
  const place = (tensors: HeadDescription["classifier"]): DensePlace => {
    const { weights, bias } = denseValues(tensors, read);
    const [outputs, inputs] = tensors.weight.shape as [number, number];
    return { weights: block.add(weights), bias: block.add(bias), inputs, outputs };
  };
  const classifier = place(head.classifier);
  // A pooler saved with the adapter is a dense layer with tanh that stands in for the encoder's.
  const own = head.pooler ?? head.dense;
  return {
    kind: head.kind,
    usesPooler: head.kind === "sequence" && own === undefined,
    poolerSlot,
    dense: own ? { ...place(own), activation: head.pooler ? "tanh" : (head.denseActivation ?? "tanh") } : null,
    classifier,
  };
}

function noPooler(): RootstockError {
  return new RootstockError(
    "adapter-mismatch",
    "the adapter's head reads the encoder's pooler, and the encoder was saved without one. Use the encoder folder the adapter was trained on.",
  );
}

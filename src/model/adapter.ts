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
 * Computes an adapter's numbers; the encoder is only read.
 * @throws RootstockError `tensor-value`, `adapter-mismatch`.
 */
export function adapterNumbers(host: AdapterHost, description: AdapterDescription, read: ReadTensor): AdapterNumbers {
  const block = new Block();
  const build = describe(host, description, read, block);
  return { plan: build(0), bytes: alignUp(block.bytes, BLOCK_ALIGNMENT), write: (to) => block.write(to) };
}

/** Numbers waiting for an address. */
class Block {
  readonly #parts: { offset: number; values: Float32Array }[] = [];
  /** No part begins at 0, which means "none" in a plan. */
  bytes = 16;

  /** Offset in the block, 16-byte aligned for whole-vector loads. */
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

/** Makes a value of addresses once the block has its own. */
type At<T> = (start: Address) => T;

function describe(
  host: AdapterHost,
  description: AdapterDescription,
  read: ReadTensor,
  block: Block,
): At<AdapterPlan> {
  const { plan } = host;
  const { storedLayers } = plan.config;
  const layers: Record<string, At<Slot> | At<Address>>[] = Array.from({ length: storedLayers }, () => ({}));
  const outside: Record<string, At<Slot>> = {};
  for (const site of description.sites) {
    const { layer, part } = site.site;
    const place = layer === null ? plan[part] : plan.layers[layer]![part];
    if (place === null) throw noPooler();
    const slot = placeSlot(host, site, place, read, block);
    if (layer === null) outside[part] = slot;
    else layers[layer]![part] = slot;
  }
  let embeddingBias: At<Address> = () => 0;
  for (const { site, bias } of description.normBias) {
    const offset = block.add(finite(read(bias), bias));
    const at = (start: Address): Address => start + offset;
    if (site.layer === null) embeddingBias = at;
    else layers[site.layer]![site.part] = at;
  }
  const tables: Partial<Record<EmbeddingTable, At<EmbeddingSlot>>> = {};
  for (const site of description.embeddingSites) {
    const { table, up } = embeddingValues(site, read);
    const [tableOffset, upOffset] = [block.add(table), block.add(up)];
    tables[site.part] = (start) => ({ table: start + tableOffset, rank: site.rank, up: start + upOffset });
  }
  if (description.needsPooler && plan.pooler === null) throw noPooler();
  const head = description.head && placeHead(description.head, outside["pooler"], read, block);
  return (start) => {
    const slots = layers.map((parts) => bind(parts, start));
    return {
      firstLayer: description.firstAdaptedLayer,
      embeddings:
        description.firstAdaptedLayer >= 0
          ? null
          : {
              word: tables.word?.(start) ?? null,
              position: tables.position?.(start) ?? null,
              type: tables.type?.(start) ?? null,
              normBias: embeddingBias(start),
              projection: outside["projection"]?.(start) ?? null,
            },
      layers: plan.layers.map((_, layer) => slots[layer % storedLayers]!),
      scalesInputs: description.sites.some(({ inputScale }) => inputScale !== undefined),
      head: head && head(start),
    };
  };
}

function bind(parts: Record<string, At<Slot> | At<Address>>, start: Address): LayerSlots | null {
  const entries = Object.entries(parts);
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([part, at]) => [part, at(start)])) as LayerSlots;
}

function placeSlot(
  host: AdapterHost,
  site: AdapterSite,
  place: LinearPlace,
  read: ReadTensor,
  block: Block,
): At<Slot> {
  const values = slotValues(site, read, host.memory, place, host.format);
  const offset = (part: Float32Array | undefined): number | null => (part === undefined ? null : block.add(part));
  const inputScale = offset(values.inputScale);
  const down = offset(values.down);
  const up = offset(values.up);
  const outputScale = offset(values.outputScale);
  const shift = offset(values.shift);
  return (start) => {
    const at = (part: number | null): Address => (part === null ? 0 : start + part);
    return {
      inputScale: at(inputScale),
      down: at(down),
      rank: values.rank,
      up: at(up),
      outputScale: at(outputScale),
      shift: at(shift),
    };
  };
}

function placeHead(
  head: HeadDescription,
  poolerSlot: At<Slot> | undefined,
  read: ReadTensor,
  block: Block,
): At<Head> {
  const place = (tensors: HeadDescription["classifier"]): At<DensePlace> => {
    const { weights, bias } = denseValues(tensors, read);
    const [weightsOffset, biasOffset] = [block.add(weights), block.add(bias)];
    const [outputs, inputs] = tensors.weight.shape as [number, number];
    return (start) => ({ weights: start + weightsOffset, bias: start + biasOffset, inputs, outputs });
  };
  const classifier = place(head.classifier);
  // A pooler saved with the adapter is a dense layer with tanh that stands in for the encoder's.
  const own = head.pooler ?? head.dense;
  const dense = own && place(own);
  const activation = head.pooler ? "tanh" : (head.denseActivation ?? "tanh");
  return (start) => ({
    kind: head.kind,
    usesPooler: head.kind === "sequence" && own === undefined,
    poolerSlot: poolerSlot?.(start) ?? null,
    dense: dense ? { ...dense(start), activation } : null,
    classifier: classifier(start),
  });
}

function noPooler(): RootstockError {
  return new RootstockError(
    "adapter-mismatch",
    "the adapter's head reads the encoder's pooler, and the encoder was saved without one. Use the encoder folder the adapter was trained on.",
  );
}

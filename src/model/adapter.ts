import { RootstockError } from "../errors.ts";
import type { AdapterDescription, AdapterSite, EmbeddingTable, HeadDescription } from "../format/types.ts";
import type { Address } from "../wasm/kernels.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import type { AdapterPool } from "../wasm/pool.ts";
import { denseValues, embeddingValues, slotValues, type ReadTensor } from "./adapter-values.ts";
import { finite } from "./finite.ts";
import type { EncoderPlan } from "./plan.ts";
import type { AdapterPlan, DensePlace, EmbeddingSlot, Head, LayerSlots, Slot } from "./slot.ts";
import type { LinearPlace, WeightFormat } from "./weight-format.ts";

/** Where adapters are put: the encoder they belong to and its pool. */
export interface AdapterHost {
  readonly memory: LinearMemory;
  readonly pool: AdapterPool;
  readonly plan: EncoderPlan;
  readonly format: WeightFormat;
}

/** An adapter in the pool: one block, freed as a whole. */
export interface PlacedAdapter {
  readonly plan: AdapterPlan;
  readonly start: Address;
  readonly bytes: number;
}

/**
 * Computes an adapter's numbers, takes one block of the pool and writes them there. Nothing is taken when it throws.
 * @throws RootstockError `tensor-value`, `adapter-mismatch`, `no-memory-left`.
 */
export function placeAdapter(host: AdapterHost, description: AdapterDescription, read: ReadTensor): PlacedAdapter {
  const block = new Block();
  const build = describe(host, description, read, block);
  const start = host.pool.allocate(block.bytes);
  block.write(host.memory, start);
  return { plan: build(start), start, bytes: block.bytes };
}

/** Numbers waiting for an address. */
class Block {
  readonly #parts: { offset: number; values: Float32Array }[] = [];
  bytes = 0;

  /** Offset in the block, 16-byte aligned for whole-vector loads. */
  add(values: Float32Array): number {
    const offset = this.bytes;
    this.#parts.push({ offset, values });
    this.bytes = (offset + values.byteLength + 15) & ~15;
    return offset;
  }

  write(memory: LinearMemory, start: Address): void {
    for (const { offset, values } of this.#parts) memory.floats(start + offset, values.length).set(values);
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

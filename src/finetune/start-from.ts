import { RootstockError } from "../errors.ts";
import type { AdapterDescription, AdapterSite, LayerLinear } from "../format/types.ts";
import { canHash, sha256 } from "../load/byte-reader.ts";
import type { SourceLike } from "../load/source.ts";
import { LINEAR_PARTS } from "../model/plan.ts";
import { readPeftFolder, type PeftFolder } from "../runtime/load-adapter.ts";
import type { LoadedEncoder } from "../runtime/load-encoder.ts";
import { PeftNames } from "./peft-names.ts";
import type { AdapterShape } from "./settings.ts";
import type { TrainingKind } from "./types.ts";

/** An adapter that training goes on from. */
export interface StartingPoint {
  readonly shape: AdapterShape;
  /** By the parameters' names. */
  readonly values: ReadonlyMap<string, Float32Array>;
  /** Labels of its head, when it has one for this kind of data; else null, and a fresh head is trained. */
  readonly labels: readonly string[] | null;
  /** Its head replaces the encoder's pooler. */
  readonly hasOwnPooler: boolean;
  readonly digest: string | null;
}

/**
 * Reads an adapter to go on from.
 * @throws RootstockError those of `addAdapter`; `adapter-unsupported` for what serves and cannot be trained.
 */
export async function readStart(loaded: LoadedEncoder, given: SourceLike, kind: TrainingKind, signal: AbortSignal | undefined): Promise<StartingPoint> {
  const folder = await readPeftFolder(loaded, given, signal);
  const { description, config, tensors, read } = folder;
  checkTrainable(folder);
  const names = new PeftNames(loaded.machine.plan.config);
  return {
    shape: shapeOfSites(folder, description),
    values: new Map([...tensors].map(([name, tensor]) => [names.toParameter(name), read(tensor)])),
    labels: config.task === (kind === "ner" ? "token" : "sequence") ? labelsFor(kind, folder) : null,
    hasOwnPooler: description.head?.pooler !== undefined,
    digest: canHash() ? `sha256:${await sha256(folder.bytes as Uint8Array<ArrayBuffer>)}` : null,
  };
}

/** A head with a sigmoid a label is none for labels that exclude each other, and the other way round. */
function labelsFor(kind: TrainingKind, { table, description }: PeftFolder): readonly string[] | null {
  if (table?.labels === undefined || table.labels.length !== description.head?.labels) return null;
  const isMulti = table.problemType === "multi" || (table.problemType === undefined && table.labels.length === 1);
  if (kind !== "ner" && (isMulti !== (kind === "multi-label") || table.problemType === "regression")) return null;
  return table.labels;
}

function unsupported(location: string, what: string): RootstockError {
  return new RootstockError("adapter-unsupported", `${location}: ${what}, which serves and cannot be trained further. Train a new adapter, or go on from another.`);
}

function checkTrainable({ description, config, location }: PeftFolder): void {
  const { embeddingSites, normBias, sites } = description;
  if (embeddingSites.length > 0) throw unsupported(location, "it changes the embeddings");
  if (normBias.length > 0 || (config.kind === "lora" && config.bias === "all")) throw unsupported(location, `it has biases of all layers (bias: "all")`);
  if (sites.some(({ upBias }) => upBias !== undefined)) throw unsupported(location, "its low-rank terms have biases (lora_bias)");
  if (sites.some(({ site }) => site.layer === null)) throw unsupported(location, "it changes the pooler or the embeddings' projection");
}

/** The one shape of all sites: every target in every layer, of one rank and scale. */
function shapeOfSites({ config, location }: PeftFolder, { sites }: AdapterDescription): AdapterShape {
  const layers = [...new Set(sites.map(({ site }) => site.layer!))].sort((a, b) => a - b);
  const partOf = ({ site }: AdapterSite): LayerLinear => site.part as LayerLinear;
  const targets = LINEAR_PARTS.filter((part) => sites.some((site) => partOf(site) === part));
  const feedforward = LINEAR_PARTS.filter((part) => sites.some((site) => partOf(site) === part && site.inputScale !== undefined));
  const [first] = sites;
  const isEven = sites.every((site) => site.rank === first!.rank && site.scale === first!.scale && (site.inputScale !== undefined) === feedforward.includes(partOf(site)));
  if (sites.length !== layers.length * targets.length || !isEven) {
    throw unsupported(location, "its layers have different targets, ranks or scales (rank_pattern, alpha_pattern or a pattern of names)");
  }
  const common = { targets, feedforward, layers, biases: config.kind === "lora" && config.bias === "lora_only" && sites.some(({ bias }) => bias !== undefined) };
  if (first === undefined) return { ...common, method: "head", rank: 8, alpha: 16, rsLora: false };
  if (config.kind === "ia3") return { ...common, method: "ia3", rank: 8, alpha: 16, rsLora: false };
  const root = config.rsLora ? Math.sqrt(first.rank) : first.rank;
  const alpha = config.alpha / root === first.scale ? config.alpha : first.scale * root;
  return { ...common, method: config.dora ? "dora" : "lora", rank: first.rank, alpha, rsLora: config.rsLora };
}

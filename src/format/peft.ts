/**
 * From a PEFT folder's configuration and tensor list to what the encoder has to do: which linear layers get which vectors and
 * low-rank matrices, which embedding tables, which biases, which head. Values are not looked at here.
 */

import { RootstockError } from "../errors.ts";
import { encoderModules, poolerModule, type EncoderModule, type LinearModule, type TableModule } from "./encoder-modules.ts";
import { checkModulesToSave, resolveHead, savesModule, usesPooler } from "./peft-head.ts";
import { NO_TARGETS, SUPPORTED, type LoraConfig, type PeftConfig } from "./peft-config.ts";
import { TargetMatcher } from "./peft-targets.ts";
import { AdapterTensors } from "./peft-tensors.ts";
import type { AdapterDescription, AdapterSite, EmbeddingSite, EncoderConfig, NormSite, Site, TensorInfo } from "./types.ts";

type NormBias = AdapterDescription["normBias"][number];

/** Collects the description module by module. */
interface Draft {
  readonly sites: AdapterSite[];
  readonly embeddingSites: EmbeddingSite[];
  readonly normBias: NormBias[];
}

function unsupported(where: string, problem: string): RootstockError {
  return new RootstockError("adapter-unsupported", `${where}: ${problem}; ${SUPPORTED}.`);
}

/** alpha/r, or alpha/√r with rsLoRA (https://arxiv.org/abs/2312.03732). */
function scaleOf(config: LoraConfig, rank: number, alpha: number): number {
  return config.rsLora ? alpha / Math.sqrt(rank) : alpha / rank;
}

function loraSite(config: LoraConfig, module: LinearModule, path: string, matcher: TargetMatcher, tensors: AdapterTensors): AdapterSite {
  const { rank, alpha } = matcher.rankAndAlpha(config, path);
  const out = [module.out, "adapter-mismatch"] as const;
  return {
    site: module.site,
    rank,
    scale: scaleOf(config, rank, alpha),
    down: tensors.take(`${path}.lora_A.weight`, [[rank, "tensor-shape"], [module.in, "adapter-mismatch"]]),
    up: tensors.take(`${path}.lora_B.weight`, [out, [rank, "tensor-shape"]]),
    ...(config.loraBias ? { upBias: tensors.take(`${path}.lora_B.bias`, [out]) } : {}),
    ...(config.dora ? { magnitude: tensors.take(`${path}.lora_magnitude_vector`, [out]) } : {}),
    ...(config.bias === "none" ? {} : { bias: tensors.take(`${path}.base_layer.bias`, [out]) }),
  };
}

/** PEFT before 0.21 saved none of the biases that "lora_only" trains, and loads its adapters with those of the encoder. */
function withBiasesOfFile(config: LoraConfig, tensors: AdapterTensors): LoraConfig {
  return config.bias === "lora_only" && !tensors.hasEnding(".base_layer.bias") ? { ...config, bias: "none" } : config;
}

function embeddingSite(
  config: LoraConfig,
  module: TableModule,
  path: string,
  matcher: TargetMatcher,
  tensors: AdapterTensors,
): EmbeddingSite {
  if (config.dora || config.loraBias) {
    throw unsupported(tensors.where, `${config.dora ? "use_dora" : "lora_bias"} on the embedding table ${path} is not supported`);
  }
  const { rank, alpha } = matcher.rankAndAlpha(config, path);
  return {
    part: module.part,
    rank,
    scale: scaleOf(config, rank, alpha),
    down: tensors.take(`${path}.lora_embedding_A`, [[rank, "tensor-shape"], [module.rows, "adapter-mismatch"]]),
    up: tensors.take(`${path}.lora_embedding_B`, [[module.width, "adapter-mismatch"], [rank, "tensor-shape"]]),
  };
}

/** (IA)³ as PEFT places it: on the input of feed-forward modules, on the output of the others. */
function ia3Site(module: LinearModule, path: string, matcher: TargetMatcher, tensors: AdapterTensors): AdapterSite {
  const name = `${path}.ia3_l`;
  const common = { site: module.site, rank: 0, scale: 0 };
  if (matcher.isFeedforward(path)) {
    return { ...common, inputScale: tensors.take(name, [[1, "tensor-shape"], [module.in, "adapter-mismatch"]]) };
  }
  return { ...common, outputScale: tensors.take(name, [[module.out, "adapter-mismatch"], [1, "tensor-shape"]]) };
}

function resolveLoraModule(
  config: LoraConfig,
  module: EncoderModule,
  path: string,
  matcher: TargetMatcher,
  tensors: AdapterTensors,
  draft: Draft,
): void {
  if (module.kind === "linear" && matcher.targets(path, true)) {
    draft.sites.push(loraSite(config, module, path, matcher, tensors));
  } else if (module.kind === "table" && matcher.targets(path, false)) {
    draft.embeddingSites.push(embeddingSite(config, module, path, matcher, tensors));
  } else if (config.bias === "all") {
    const take = (width: number): TensorInfo => tensors.take(`${path}.bias`, [[width, "adapter-mismatch"]]);
    if (module.kind === "linear") draft.sites.push({ site: module.site, rank: 0, scale: 0, bias: take(module.out) });
    if (module.kind === "norm") draft.normBias.push({ site: module.site, bias: take(module.width) });
  }
}

function resolveIa3Module(module: EncoderModule, path: string, matcher: TargetMatcher, tensors: AdapterTensors, draft: Draft): void {
  if (module.kind === "table" && matcher.targets(path, false)) {
    throw unsupported(tensors.where, `IA3 on the embedding table ${path} is not supported`);
  }
  if (module.kind === "linear" && matcher.targets(path, true)) draft.sites.push(ia3Site(module, path, matcher, tensors));
}

/** The pooler of the class the adapter was trained on: sequence classifiers of BERT and ALBERT have it, for a bare model the file tells. */
function poolerOfClass(config: PeftConfig, encoder: EncoderConfig, tensors: AdapterTensors): LinearModule | null {
  const pooler = poolerModule(encoder);
  if (pooler === null) return null;
  const always = config.task === "sequence" && usesPooler(encoder.family);
  return always || tensors.hasUnder(tensors.prefix + pooler.path) ? pooler : null;
}

/** Layer (as it is run) that a change first shows in; -1 for the embeddings. */
function firstLayer(place: Site | NormSite, encoder: EncoderConfig): number {
  if (place.layer !== null) return place.layer; // ALBERT's shared layer is layer 0, which is run first
  return place.part === "pooler" ? encoder.layers : -1;
}

function firstAdaptedLayer(draft: Draft, encoder: EncoderConfig): number {
  if (draft.embeddingSites.length > 0) return -1;
  const places: (Site | NormSite)[] = [...draft.sites, ...draft.normBias].map(({ site }) => site);
  return places.reduce((first, place) => Math.min(first, firstLayer(place, encoder)), encoder.layers);
}

/** Whether the adapter is a head alone, and says so. */
function isHeadAlone({ targets, task }: PeftConfig): boolean {
  return task !== null && targets !== null && targets !== "all-linear" && "regex" in targets && targets.regex === NO_TARGETS;
}

/**
 * Describes an adapter for an encoder. Every tensor is accounted for and every targeted module has its tensors. Throws
 * `adapter-unsupported`, `adapter-mismatch` (sizes, layers or family of another encoder), `tensor-missing`,
 * `tensor-unexpected`, `tensor-shape` (rank against the configuration), `tensor-dtype`, `config-invalid`, `limit-exceeded`.
 */
export function resolveAdapter(
  config: PeftConfig,
  encoder: EncoderConfig,
  adapterTensors: ReadonlyMap<string, TensorInfo>,
  where = "adapter_model.safetensors",
): AdapterDescription {
  const everyLayer = config.kind === "ia3" || config.layers === null;
  const tensors = new AdapterTensors(adapterTensors, encoder, everyLayer, where);
  const matcher = new TargetMatcher(config, encoder.family);
  const modules = encoderModules(encoder);
  checkModulesToSave(config, modules.map((module) => tensors.prefix + module.path), where);
  const pooler = poolerOfClass(config, encoder, tensors);
  const lora = config.kind === "lora" ? withBiasesOfFile(config, tensors) : null;
  const draft: Draft = { sites: [], embeddingSites: [], normBias: [] };
  for (const module of pooler === null ? modules : [...modules, pooler]) {
    const path = tensors.prefix + module.path;
    if (module === pooler && savesModule(config, path)) continue; // the head takes it
    if (lora !== null) resolveLoraModule(lora, module, path, matcher, tensors, draft);
    else resolveIa3Module(module, path, matcher, tensors, draft);
  }
  if (draft.sites.length === 0 && draft.embeddingSites.length === 0 && !isHeadAlone(config)) {
    throw new RootstockError(
      "adapter-mismatch",
      `${where}: target_modules names no module of this encoder (${encoder.family}); the adapter was trained on another.`,
    );
  }
  const head = resolveHead(config, encoder, tensors, pooler);
  tensors.finish();
  const poolerSite = draft.sites.some(({ site }) => site.part === "pooler");
  const poolerHead = head?.kind === "sequence" && usesPooler(encoder.family) && head.pooler === undefined;
  return { ...draft, head, firstAdaptedLayer: firstAdaptedLayer(draft, encoder), needsPooler: poolerSite || poolerHead };
}

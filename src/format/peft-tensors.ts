/** The tensors of an adapter file by module name, each taken once; what is left at the end was not accounted for. */

import { quote, RootstockError, type ErrorCode } from "../errors.ts";
import { classPrefix } from "./encoder-modules.ts";
import { checkDtype } from "./encoder-tensors.ts";

import type { EncoderConfig, TensorInfo } from "./types.ts";

/** In front of every name: PeftModel.base_model (the tuner) .model (the wrapped model). */
export const PEFT_ROOT = "base_model.model.";

/** One expected dimension and what it means when it differs: another encoder, or a file at odds with its own configuration. */
export type Dimension = readonly [size: number, otherwise: Extract<ErrorCode, "adapter-mismatch" | "tensor-shape">];

export class AdapterTensors {
  readonly where: string;
  /** `bert.` when the adapter was trained on a task class, empty when on the bare model. */
  readonly prefix: string;
  /** Highest layer number that occurs, -1 when none does. */
  private readonly lastLayer: number;
  private readonly left: Map<string, TensorInfo>;
  private readonly everyLayer: boolean;

  /**
   * `everyLayer`: the configuration names no layers, so a file that ends early is of a shallower encoder. Throws
   * `tensor-unexpected`, `adapter-mismatch` (another family, or layers that the encoder does not have).
   */
  constructor(tensors: ReadonlyMap<string, TensorInfo>, encoder: EncoderConfig, everyLayer: boolean, where: string) {
    this.where = where;
    this.everyLayer = everyLayer;
    this.left = new Map();
    let lastLayer = -1;
    const own = `${classPrefix(encoder.family)}.`;
    for (const [name, tensor] of tensors) {
      if (!name.startsWith(PEFT_ROOT)) {
        throw new RootstockError(
          "tensor-unexpected",
          `${where}: ${quote(name)} does not start with "${PEFT_ROOT}"; this is not a file of a LoRA or (IA)³ adapter of PEFT.`,
        );
      }
      const path = name.slice(PEFT_ROOT.length);
      const family = /^(bert|distilbert|roberta|albert|electra)\./.exec(path)?.[0];
      if (family !== undefined && family !== own) {
        throw new RootstockError(
          "adapter-mismatch",
          `${where}: ${quote(name)} belongs to another family of encoders; this one is ${encoder.family}.`,
        );
      }
      lastLayer = Math.max(lastLayer, layerNumber(path));
      this.left.set(path, tensor);
    }
    if (lastLayer >= encoder.layers) {
      throw new RootstockError(
        "adapter-mismatch",
        `${where}: the adapter has a layer ${lastLayer}, the encoder only layers 0 to ${encoder.layers - 1}.`,
      );
    }
    this.lastLayer = lastLayer;
    this.prefix = [...this.left.keys()].some((path) => path.startsWith(own)) ? own : "";
  }

  /** Whether a tensor of the module or inside it is left. */
  hasUnder(module: string): boolean {
    for (const path of this.left.keys()) if (path.startsWith(`${module}.`)) return true;
    return false;
  }

  /** Whether a tensor is left whose name ends so. */
  hasEnding(ending: string): boolean {
    for (const path of this.left.keys()) if (path.endsWith(ending)) return true;
    return false;
  }

  /** Takes a tensor whose every dimension is known. Throws `tensor-missing`, `adapter-mismatch`, `tensor-shape`, `tensor-dtype`. */
  take(path: string, shape: readonly Dimension[]): TensorInfo {
    const tensor = this.takeAnyShape(path);
    const expected = shape.map(([size]) => size).join(", ");
    if (tensor.shape.length !== shape.length) throw this.misshapen(tensor, expected, "tensor-shape");
    for (const [i, [size, otherwise]] of shape.entries()) {
      if (tensor.shape[i] !== size) throw this.misshapen(tensor, expected, otherwise);
    }
    return tensor;
  }

  /** Takes a tensor; throws `tensor-missing`, `tensor-dtype`. */
  takeAnyShape(path: string): TensorInfo {
    const tensor = this.left.get(path);
    if (tensor === undefined) throw this.missing(path);
    this.left.delete(path);
    checkDtype(tensor, this.where);
    return tensor;
  }

  /** Drops the duplicates of saved modules' biases that bias="all" writes beside the tensors themselves. */
  dropSavedBiasCopies(module: string): void {
    for (const path of [...this.left.keys()]) {
      const isCopy = path.startsWith(`${module}.original_module.`) || path.startsWith(`${module}.modules_to_save.`);
      if (isCopy && path.endsWith(".bias")) this.left.delete(path);
    }
  }

  /** Throws `tensor-unexpected` if anything is left. */
  finish(): void {
    for (const [path, tensor] of this.left) {
      const isAdapter = /\.(lora_[A-Za-z_]+|ia3_l)(\.|$)/.test(path);
      const why = isAdapter ? "the configuration does not target this module" : "nothing in adapter_config.json accounts for it";
      throw new RootstockError(
        "tensor-unexpected",
        `${this.where}: ${quote(tensor.name)}: ${why}; check that both files are of one adapter.`,
      );
    }
  }

  private missing(path: string): RootstockError {
    const layer = layerNumber(path);
    if (this.everyLayer && this.lastLayer >= 0 && layer > this.lastLayer) {
      return new RootstockError(
        "adapter-mismatch",
        `${this.where}: the adapter ends at layer ${this.lastLayer}, but its configuration covers layer ${layer} of this encoder: ` +
          `it was trained on a shallower one.`,
      );
    }
    return new RootstockError(
      "tensor-missing",
      `${this.where}: ${quote(PEFT_ROOT + path)} is not there, although adapter_config.json calls for it; check that both files are of ` +
        `one adapter.`,
    );
  }

  private misshapen(tensor: TensorInfo, expected: string, code: ErrorCode): RootstockError {
    const cause = code === "adapter-mismatch" ? "this encoder needs" : "adapter_config.json says";
    return new RootstockError(code, `${this.where}: ${quote(tensor.name)} is [${tensor.shape.join(", ")}], ${cause} [${expected}].`);
  }
}

/** The number in `….layer.N.…`, -1 when there is none. ALBERT's shared layer has another name. */
function layerNumber(path: string): number {
  const found = /(?:^|\.)layer\.(\d{1,9})\./.exec(path);
  return found === null ? -1 : Number(found[1]);
}

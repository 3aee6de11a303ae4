import { allModules, classPrefix } from "../format/encoder-modules.ts";
import { PEFT_ROOT } from "../format/peft-tensors.ts";
import type { EncoderConfig } from "../format/types.ts";
import { GROUP } from "./learner.ts";

/** A slot's own bias is that of the wrapped layer. */
const WRAPPED_BIAS = ".base_layer.bias";

/** Between the names of parameters (`task/encoder.layer.3….lora_A.weight`) and those of PEFT's files of a task class. */
export class PeftNames {
  readonly #prefix: string;
  readonly #modules: ReadonlySet<string>;

  constructor(config: EncoderConfig) {
    this.#prefix = `${classPrefix(config.family)}.`;
    this.#modules = new Set(allModules(config).map(({ path }) => path));
  }

  /** @param isSlotBias the parameter replaces the bias of a layer with an adapter */
  toFile(parameter: string): string {
    const path = parameter.slice(GROUP.length + 1);
    const module = path.replace(/\.[^.]+$/, "");
    if (path.endsWith(".bias") && this.#isAdapted(module)) return `${PEFT_ROOT}${this.#prefix}${module}${WRAPPED_BIAS}`;
    return `${PEFT_ROOT}${this.#isOfEncoder(path) ? this.#prefix : ""}${path}`;
  }

  toParameter(tensor: string): string {
    const path = tensor.slice(PEFT_ROOT.length).replace(WRAPPED_BIAS, ".bias");
    return `${GROUP}/${path.startsWith(this.#prefix) ? path.slice(this.#prefix.length) : path}`;
  }

  /** A layer of the encoder's that only slots give a bias to: its pooler is trained as a whole. */
  #isAdapted(module: string): boolean {
    return this.#modules.has(module) && module.includes("layer");
  }

  #isOfEncoder(path: string): boolean {
    for (let end = path.lastIndexOf("."); end > 0; end = path.lastIndexOf(".", end - 1)) if (this.#modules.has(path.slice(0, end))) return true;
    return false;
  }
}

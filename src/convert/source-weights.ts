import { resolveEncoderTensors } from "../format/encoder-tensors.ts";
import { toFloat32 } from "../format/floats.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import type { EncoderConfig, FloatDtype } from "../format/types.ts";

/** A linear layer as the source file has it: weight (out, in), bias (out). */
export interface FloatLinear {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** The float32 tensors of a source file under their canonical names, read when asked for. */
export class SourceWeights {
  readonly #bytes: Uint8Array;
  readonly #tensors: ReturnType<typeof resolveEncoderTensors>["tensors"];

  constructor(bytes: Uint8Array, config: EncoderConfig) {
    this.#bytes = bytes;
    this.#tensors = resolveEncoderTensors(config, parseSafetensorsHeader(bytes, bytes.length).tensors).tensors;
  }

  tensor(name: string): Float32Array {
    const { start, end, dtype } = this.#tensors.get(name)!;
    return toFloat32(this.#bytes.subarray(start, end), dtype as FloatDtype);
  }

  linear(name: string): FloatLinear {
    return { weight: this.tensor(`${name}.weight`), bias: this.tensor(`${name}.bias`) };
  }
}

import { addProducts, CHUNK, chunkOf, padded, stage } from "./gram.ts";

/**
 * Σ r·xᵀ, Σ r and Σ x over pairs of rows: x goes into a linear layer, r is what is missing from its output (what the
 * float32 encoder has there minus W·x + b). Its part that is linear in x can be put into the weights, its mean into
 * the bias. Sums as in `SecondMoment`; a pair costs missing·width products.
 */
export class CrossMoment {
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** [padded outFeatures][padded inFeatures] */
  readonly #products: Float64Array;
  readonly #missingSum: Float64Array;
  readonly #inputSum: Float64Array;
  readonly #missing: Float64Array;
  readonly #inputs: Float64Array;
  #chunkRows = 0;
  #count = 0;

  constructor(outFeatures: number, inFeatures: number) {
    this.outFeatures = outFeatures;
    this.inFeatures = inFeatures;
    this.#products = new Float64Array(padded(outFeatures) * padded(inFeatures));
    this.#missingSum = new Float64Array(outFeatures);
    this.#inputSum = new Float64Array(inFeatures);
    this.#missing = chunkOf(outFeatures);
    this.#inputs = chunkOf(inFeatures);
  }

  /** Adds `rowCount` pairs, both dense: `missing` [rowCount][outFeatures], `inputs` [rowCount][inFeatures], finite. */
  add(missing: Float32Array, inputs: Float32Array, rowCount: number): void {
    for (let row = 0; row < rowCount; row++) {
      stage(missing, row * this.outFeatures, this.#missing, this.#missingSum, this.#chunkRows);
      stage(inputs, row * this.inFeatures, this.#inputs, this.#inputSum, this.#chunkRows);
      this.#count++;
      if (++this.#chunkRows === CHUNK) this.#flush();
    }
  }

  /** Σr / count. */
  mean(): Float64Array {
    return this.#missingSum.map((value) => value / Math.max(this.#count, 1));
  }

  /** Σ(r−mean r)(x−mean x)ᵀ / count, [outFeatures][inFeatures]. To be read when all rows are added. */
  covariance(): Float64Array {
    this.#flush();
    const { outFeatures, inFeatures } = this;
    const stride = padded(inFeatures);
    const mean = this.mean();
    const count = Math.max(this.#count, 1);
    const covariance = new Float64Array(outFeatures * inFeatures);
    for (let o = 0; o < outFeatures; o++) {
      for (let k = 0; k < inFeatures; k++) {
        covariance[o * inFeatures + k] = this.#products[o * stride + k]! / count - mean[o]! * (this.#inputSum[k]! / count);
      }
    }
    return covariance;
  }

  #flush(): void {
    if (this.#chunkRows === 0) return;
    addProducts(this.#products, this.#missing, this.#inputs, this.#chunkRows, false);
    this.#chunkRows = 0;
  }
}

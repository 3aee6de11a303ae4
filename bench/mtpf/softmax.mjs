// Multinomial logistic regression on the project's own training kernels: the head of the linear cells.
import { startTraining } from "../../dist/train/machine.js";
import { panelBytes } from "../../dist/train/linear.js";
import { minimise } from "./lbfgs.mjs";

/** Rows of a chunk: its logits and features stay in the second-level cache. */
const CHUNK = 512;
/** The build that every engine runs, so that a cell has the same bits on all of them (fused products round differently). */
const BUILD = "train-fixed";

/** A memory with room for training rows, and the softmax regression over them. */
export class SoftmaxRegression {
  #machine;
  #at;
  #width;
  #classes;
  #rows = 0;
  #mean;
  #inverse;

  /** @param {{ rows: number, width: number, classes: number }} most training rows, features of a row, classes */
  static async make({ rows, width, classes }) {
    const chunks = Math.ceil(rows / CHUNK);
    const { machine, plan } = await startTraining((layout) => {
      const floats = (count) => layout.reserve(count * 4);
      return {
        x: floats(chunks * CHUNK * width), panels: layout.reserve(chunks * panelBytes(width, CHUNK)), labels: floats(rows), losses: floats(CHUNK),
        logits: floats(CHUNK * classes), turned: floats(CHUNK * (classes + 4)), weight: floats(classes * width), bias: floats(classes),
        weightPanels: layout.reserve(panelBytes(classes, width)), asked: floats(CHUNK * width), weightGradient: floats(classes * width), biasGradient: floats(classes),
      };
    }, { build: BUILD });
    return new SoftmaxRegression(machine, plan, width, classes);
  }

  constructor(machine, at, width, classes) {
    [this.#machine, this.#at, this.#width, this.#classes] = [machine, at, width, classes];
  }

  /**
   * Takes the training rows, each feature standardised over them (a constant one becomes 0).
   * @param {Float32Array} features [n][width]
   * @param {Int32Array} rows those of the n that are trained on
   * @param {Int32Array} labels class of each of the n
   */
  load(features, rows, labels) {
    const { memory, train } = this.#machine;
    const width = this.#width;
    [this.#mean, this.#inverse] = standard(features, rows, width);
    this.#rows = rows.length;
    for (let first = 0; first < rows.length; first += CHUNK) {
      const part = rows.subarray(first, first + CHUNK);
      const x = this.#at.x + first * width * 4;
      this.#standardise(features, part, x);
      train.packColumnPanels(x, part.length, width, width, this.#panels(first));
    }
    const place = memory.i32.subarray(this.#at.labels >>> 2);
    rows.forEach((row, i) => (place[i] = labels[row]));
  }

  /**
   * Minimises mean cross-entropy + l2·Σw² over weights and biases; biases are not penalised.
   * @param {{ l2: number, iterations: number, tolerance: number, start?: Float64Array }} options
   * @returns what `minimise` gives; x is [classes][width] weights, then [classes] biases
   */
  fit({ l2, iterations, tolerance, start }) {
    const weights = this.#classes * this.#width;
    const from = start ?? new Float64Array(weights + this.#classes);
    return minimise((x, gradient) => this.evaluate(x, gradient, l2), from, { iterations, tolerance });
  }

  /** Mean cross-entropy + l2·Σw² at `x`, laid out as `fit` gives it; its gradient is written. */
  evaluate(x, gradient, l2) {
    const { memory, train } = this.#machine;
    const [rows, width, classes] = [this.#rows, this.#width, this.#classes];
    const { logits, labels, losses, turned, weightGradient, biasGradient } = this.#at;
    this.#setParameters(x);
    memory.floats(weightGradient, classes * width).fill(0);
    memory.floats(biasGradient, classes).fill(0);
    let value = 0;
    for (let first = 0; first < rows; first += CHUNK) {
      const count = Math.min(CHUNK, rows - first);
      this.#logits(this.#at.x + first * width * 4, count);
      train.crossEntropy(logits, count, classes, labels + first * 4, 0, 0, 0, 1 / rows, losses);
      for (const loss of memory.floats(losses, count)) value += loss;
      train.columnSums(logits, count, classes, biasGradient);
      train.transposeRows(logits, count, classes, classes, turned);
      train.product(turned, classes, Math.ceil(count / 4) * 16, 4, count, this.#panels(first), count * 32, 32, width, 0, weightGradient, width, 1);
    }
    value /= rows;
    const weights = classes * width;
    gradient.set(memory.floats(weightGradient, weights));
    gradient.set(memory.floats(biasGradient, classes), weights);
    let squares = 0;
    for (let i = 0; i < weights; i++) {
      squares += x[i] * x[i];
      gradient[i] += 2 * l2 * x[i];
    }
    return value + l2 * squares;
  }

  /** Likeliest class of each of `count` rows of features that are not standardised yet. */
  predict(parameters, features) {
    const { memory } = this.#machine;
    const width = this.#width;
    const count = features.length / width;
    const out = new Int32Array(count);
    this.#setParameters(parameters);
    const all = Int32Array.from({ length: count }, (_, row) => row);
    const x = this.#at.asked;
    for (let first = 0; first < count; first += CHUNK) {
      const part = all.subarray(first, first + CHUNK);
      this.#standardise(features, part, x);
      this.#logits(x, part.length);
      const logits = memory.floats(this.#at.logits, part.length * this.#classes);
      for (const [i, row] of part.entries()) out[row] = largest(logits, i * this.#classes, this.#classes);
    }
    return out;
  }

  #panels(first) {
    return this.#at.panels + first * Math.ceil(this.#width / 8) * 32;
  }

  #standardise(features, rows, to) {
    const width = this.#width;
    const out = this.#machine.memory.floats(to, rows.length * width);
    let at = 0;
    for (const row of rows) for (let i = 0; i < width; i++) out[at++] = (features[row * width + i] - this.#mean[i]) * this.#inverse[i];
  }

  #setParameters(x) {
    const { memory, train } = this.#machine;
    const weights = this.#classes * this.#width;
    memory.floats(this.#at.weight, weights).set(x.subarray(0, weights));
    memory.floats(this.#at.bias, this.#classes).set(x.subarray(weights));
    train.packRowPanels(this.#at.weight, this.#classes, this.#width, this.#width, this.#at.weightPanels);
  }

  #logits(x, rows) {
    const width = this.#width;
    const { weightPanels, bias, logits } = this.#at;
    this.#machine.train.product(x, rows, width * 4, 4, width, weightPanels, width * 32, 32, this.#classes, bias, logits, this.#classes, 0);
  }
}

/** Mean, and 1/standard deviation (1 where a feature is constant), of each feature over the rows. */
export function standard(features, rows, width) {
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (const row of rows) for (let i = 0; i < width; i++) mean[i] += features[row * width + i];
  for (let i = 0; i < width; i++) mean[i] /= rows.length;
  for (const row of rows) for (let i = 0; i < width; i++) squares[i] += (features[row * width + i] - mean[i]) ** 2;
  return [mean, squares.map((sum) => (sum > 0 ? 1 / Math.sqrt(sum / rows.length) : 1))];
}

function largest(values, first, count) {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[first + i] > values[first + best]) best = i;
  return best;
}

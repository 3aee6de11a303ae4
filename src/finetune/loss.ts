import type { TrainHead } from "../train/head.ts";
import { crossEntropyLoss, IGNORED, labelTotal, sigmoidLoss } from "../train/losses.ts";
import type { TrainMachine } from "../train/machine.ts";
import type { Example } from "./examples.ts";
import type { Classes } from "./label-book.ts";
import type { TrainingKind } from "./types.ts";

/** The loss of a kind of data: softmax over classes for each row that the head reads, or a sigmoid a label. */
export class HeadLoss {
  readonly isMultiLabel: boolean;
  readonly #classes: number;
  readonly #indexOf: Int32Array;
  readonly #weights: Float32Array | undefined;
  readonly #smoothing: number;

  /** @param weights one a class, or none; of multi-label data those of a label's positives */
  constructor(kind: TrainingKind, { labels, indexOf }: Classes, weights: Float32Array | undefined, smoothing: number) {
    this.isMultiLabel = kind === "multi-label";
    this.#classes = labels.length;
    this.#indexOf = indexOf;
    this.#weights = weights;
    this.#smoothing = smoothing;
  }

  /** What a mean over these texts divides by. */
  total(examples: readonly Example[]): number {
    if (this.isMultiLabel) return examples.length * this.#classes;
    return examples.reduce((sum, example) => sum + labelTotal(this.#labels(example), { weights: this.#weights }), 0);
  }

  /** Losses of the head's rows, not scaled; its logits become the gradient of their sum times `scale`. */
  of(m: TrainMachine, head: TrainHead, examples: readonly Example[], scale: number): Float32Array {
    if (this.isMultiLabel) return sigmoidLoss(m, head.loss, head.logits, this.#targets(examples), scale, { weights: this.#weights });
    const labels = examples.flatMap((example) => this.#labels(example));
    return crossEntropyLoss(m, head.loss, head.logits, labels, scale, { weights: this.#weights, smoothing: this.#smoothing });
  }

  /** Classes of the rows read; labels that the head does not have are not counted. */
  #labels({ gold }: Example): number[] {
    return Array.from(gold, (number) => (this.#indexOf[number]! < this.#classes ? this.#indexOf[number]! : IGNORED));
  }

  #targets(examples: readonly Example[]): Float32Array {
    const [classes, smoothing] = [this.#classes, this.#smoothing];
    const targets = new Float32Array(examples.length * classes).fill(smoothing / 2);
    for (const [row, { gold }] of examples.entries()) {
      for (const number of gold) if (this.#indexOf[number]! < classes) targets[row * classes + this.#indexOf[number]!] = 1 - smoothing / 2;
    }
    return targets;
  }
}

import { RootstockError } from "../errors.ts";
import { argmax } from "../heads/scores.ts";
import { cutPasses } from "../train/pass.ts";
import { shareOf, type Peers } from "../train/peers.ts";
import type { Example } from "./examples.ts";
import type { Learner } from "./learner.ts";
import type { HeadLoss } from "./loss.ts";
import type { Trunks } from "./trunks.ts";

/** What a head says of some texts. */
export interface Predictions {
  /** A class for each row that the head reads; of multi-label data 0 or 1 for each class. One list a text. */
  readonly classes: readonly Float32Array[];
  /** One a text: the sum over its rows. */
  readonly losses: Float32Array;
}

/** Probability from which a label of multi-label data counts as given. */
export const GIVEN = 0.5;

export interface PredictOptions {
  readonly learner: Learner;
  readonly trunks: Trunks;
  readonly loss: HeadLoss;
  /** Classes of the head. */
  readonly width: number;
  readonly peers: Peers;
  /** Runs a step when no call of the encoder is under way. */
  readonly run: <T>(step: () => T) => Promise<T>;
}

/**
 * Predicts with the parameters as they are, each peer its share of the texts.
 * @throws RootstockError `training-diverged` when scores are no numbers.
 */
export async function predict(examples: readonly Example[], options: PredictOptions): Promise<Predictions> {
  const { learner, trunks, loss, width, peers, run } = options;
  const sizes = examples.map(({ read }) => (loss.isMultiLabel ? width : read.length));
  const flat = new Float32Array(sizes.reduce((sum, size) => sum + size, examples.length));
  const losses = flat.subarray(0, examples.length);
  const classes: Float32Array[] = [];
  for (let i = 0, at = examples.length; i < examples.length; at += sizes[i++]!) classes.push(flat.subarray(at, at + sizes[i]!));

  const passes = cutPasses(examples.map(({ ids }) => ids.length), 0, examples.length, learner.rows);
  learner.beginMeasuring();
  for (const [first, end] of passes.slice(...shareOf(peers, passes.length))) {
    const pass = examples.slice(first, end);
    const states = await trunks.of(pass);
    const made = await run(() => learner.scores(pass, states, loss));
    let row = 0;
    for (const [i, { read }] of pass.entries()) {
      const text = first + i;
      const own = classes[text]!;
      for (let place = 0; place < read.length; place++, row++) {
        losses[text]! += made.losses[row]!;
        if (loss.isMultiLabel) for (let label = 0; label < width; label++) own[label] = made.scores[row * width + label]! >= GIVEN ? 1 : 0;
        else own[place] = bestOf(made.scores, row * width, width);
      }
    }
  }
  learner.endMeasuring();
  if (peers.size > 1) await peers.sum(flat);
  if (!losses.every(Number.isFinite)) throw diverged();
  return { classes, losses };
}

function bestOf(scores: Float32Array, offset: number, width: number): number {
  if (Number.isNaN(scores[offset])) throw diverged();
  return argmax(scores, offset, width);
}

export function diverged(): RootstockError {
  return new RootstockError("training-diverged", "the loss or its gradient is no finite number: the numbers grew beyond all bounds. Give a smaller learningRate.");
}

// AdamW of fine-tuning, over gradients by hand: a peer is free to say what all of them sum to.
import { describe, expect, it } from "vitest";
import { trainAdapter, type Peers, type TrainingOptions } from "../../src/finetune/index.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { initialParameters, labelledRows, MemoryStore, parametersIn, tinyEncoder, TOY } from "./fixture.ts";

/** Of the gradients of four updates: the first and the third are longer than the clip, the others shorter. */
const SCALES = [1, 0.01, 0.4, 0.002];
/** Of the rate, linear from a warm-up of one update. */
const SHARES = [0, 1, 2 / 3, 1 / 3];
const RATES = { adapter: 1e-2, head: 3e-2, decay: 5 };

interface Update {
  readonly gradient: number;
  readonly rate: number;
}

/** AdamW (arXiv 1711.05101) of one number. */
function adamW(initial: number, updates: readonly Update[], decay: number): number {
  let [value, mean, square] = [initial, 0, 0];
  for (const [i, { gradient, rate }] of updates.entries()) {
    mean = 0.9 * mean + 0.1 * gradient;
    square = 0.999 * square + 0.001 * gradient ** 2;
    const step = mean / (1 - 0.9 ** (i + 1)) / (Math.sqrt(square / (1 - 0.999 ** (i + 1))) + 1e-8);
    value -= rate * (decay * value + step);
  }
  return value;
}

describe("an update is AdamW's: matrices alone decay, the head has a rate of its own, all gradients together are clipped", () => {
  const cases: [string, string, TrainingOptions][] = [
    ["bert", "lora", { clip: 2 }],
    ["bert", "lora, not clipped", { clip: null }],
    ["bert", "dora", { method: "dora", clip: 2 }],
    ["bert", "ia3", { method: "ia3", clip: 2 }],
    ["roberta", "a head of two layers", { clip: 2 }],
  ];

  it.each(cases)("%s, %s", async (family, _, options) => {
    const encoder = await tinyEncoder(family);
    const gradients: Float32Array[] = [];
    const peers: Peers = {
      rank: 0, size: 2,
      sum(values) {
        const scale = SCALES[gradients.length]!;
        for (let i = 1; i < values.length; i++) values[i] = scale * Math.sin(i * (gradients.length + 1));
        gradients.push(values.slice(1));
      },
    };
    const store = new MemoryStore();
    const data = { name: "mood", train: labelledRows(32) };
    const all: TrainingOptions = {
      ...TOY, epochs: 1, learningRate: RATES.adapter, headLearningRate: RATES.head, weightDecay: RATES.decay, warmup: 0.25, ...options, peers,
    };
    const { history } = await trainAdapter(encoder, data, { ...all, checkpoint: store });
    expect(gradients).toHaveLength(SHARES.length);

    const norms = gradients.map((gradient) => Math.hypot(...gradient));
    for (const [i, { gradientNorm }] of history.steps.entries()) expect(gradientNorm / norms[i]!).toBeCloseTo(1, 5);
    const factors = norms.map((norm) => (options.clip === null ? 1 : Math.min(1, options.clip! / norm)));
    const learnt = parametersIn(store.blobs.at(-1)!);
    let first = 0;
    for (const [name, initial] of await initialParameters(encoder, data, all)) {
      const peak = name.startsWith("task/classifier.") ? RATES.head : RATES.adapter;
      const decay = /\.(bias|lora_magnitude_vector|ia3_l)$/.test(name) ? 0 : RATES.decay;
      const want = Array.from(initial, (value, i) =>
        adamW(value, gradients.map((gradient, step) => ({ gradient: gradient[first + i]! * factors[step]!, rate: peak * SHARES[step]! })), decay),
      );
      expect(relativeGap(learnt.get(name)!, want), name).toBeLessThan(1e-5);
      first += initial.length;
    }
    expect(first).toBe(gradients[0]!.length);
  });
});

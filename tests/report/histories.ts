import type { Mistake, TrainingHistory } from "../../src/finetune/types.ts";
import { seeded } from "../reliability/random.ts";

const MISTAKES: readonly Mistake[] = [
  {
    text: "From Green Newsfeed : AHFA extends deadline for Sage Award to Nov . 5 http://tinyurl.com/24agj38",
    expected: [{ start: 22, end: 26, label: "group" }],
    predicted: [{ start: 5, end: 19, label: "group" }, { start: 22, end: 26, label: "group" }, { start: 48, end: 58, label: "product" }],
    loss: 7.81,
  },
  {
    text: "@paulwalk It 's the view from where I 'm living for two weeks . Empire State Building = ESB . Pretty bad storm here last evening .",
    expected: [{ start: 64, end: 85, label: "location" }, { start: 88, end: 91, label: "location" }],
    predicted: [{ start: 64, end: 76, label: "location" }],
    loss: 6.02,
  },
]; // prettier-ignore

export interface Shape {
  readonly kind: TrainingHistory["kind"];
  readonly labels: readonly string[];
  readonly steps?: number;
  readonly seed?: number;
  readonly dev?: boolean;
}

/** A history as training makes one. */
export function history({ kind, labels, steps = 540, seed = 1, dev = true }: Shape): TrainingHistory {
  const random = seeded(seed);
  const epochs = 6;
  const each = Math.max(1, Math.floor(steps / epochs));
  const loss = (step: number): number => 0.15 + 2.2 * Math.exp((-5 * step) / steps);
  const evaluations = Array.from({ length: dev ? epochs : 0 }, (_, index) => ({
    step: (index + 1) * each,
    epoch: index + 1,
    metric: 0.66 * (1 - Math.exp(-1.4 * (index + 1))) - (index === epochs - 1 ? 0.012 : 0),
    loss: loss((index + 1) * each) + 0.25 + 0.03 * index,
  }));
  const best = evaluations.reduce<TrainingHistory["best"]>((found, { step, metric }) => (found === null || metric > found.metric ? { step, metric } : found), null);
  const types = kind === "ner" ? labels.filter((label) => label.startsWith("B-")).map((label) => label.slice(2)) : labels;
  const counts = labels.map((_, row) => labels.map((_label, column) => (row === column ? 20 + Math.floor(20 * random()) : random() < 3 / labels.length ? Math.floor(5 * random()) : 0)));
  return {
    name: "street-names",
    kind,
    labels,
    metric: kind === "ner" ? "span_f1" : kind === "classification" ? "accuracy" : "micro_f1",
    settings: {
      method: "lora", rank: 8, alpha: 16, targets: ["query", "value"], layers: [3, 4, 5], learningRate: 0.001, seed: 1,
      data: { train: { rows: 3394, digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }, dev: { rows: 1009, digest: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752" } },
    },
    steps: Array.from({ length: steps }, (_, index) => ({
      step: index + 1,
      epoch: Math.floor(index / each) + 1,
      loss: loss(index + 1) * (0.8 + 0.4 * random()),
      learningRate: 1e-3 * (index < steps / 10 ? index / (steps / 10) : (steps - index) / (0.9 * steps)),
      gradientNorm: 0.4 + random() + loss(index + 1),
    })),
    evaluations,
    best,
    stopped: "end",
    warnings: ["2 of 3,394 rows are longer than 256 tokens; the rest of them was left out", 'the label "creative-work" has 3 rows'],
    seconds: 214.6,
    tokens: 482_193,
    ...(dev && kind === "classification" ? { confusion: { labels, counts } } : {}),
    ...(dev ? { perEntity: types.map((label) => ({ label, precision: random(), recall: random(), f1: random(), support: Math.floor(300 * random()) })) } : {}),
    ...(dev ? { mistakes: kind === "ner" ? MISTAKES : kind === "classification" ? labelMistakes(labels) : labelsMistakes(labels) } : {}),
  }; // prettier-ignore
}

function labelMistakes(labels: readonly string[]): Mistake[] {
  return [
    { text: "I still have not received my new card, I ordered over a week ago. Who do I ask?", expected: labels[0], predicted: labels.at(-1), loss: 5.1 },
    { text: "what is this witdrawal on my statement", expected: labels[1], predicted: labels[0], loss: 4.4 },
  ];
}

function labelsMistakes(labels: readonly string[]): Mistake[] {
  return [{ text: "Loved the food, the waiter less so", expected: labels.slice(0, 2), predicted: labels.slice(1, 3), loss: 1.9 }, { text: "meh", expected: [labels[0]], predicted: [], loss: 1.2 }];
}

export const NER_LABELS = ["O", ...["person", "location", "corporation", "group", "product", "creative-work"].flatMap((type) => [`B-${type}`, `I-${type}`])];
export const CLASSES = ["card arrival", "declined payment", "exchange rate", "lost or stolen card", "top-up failed", "verify identity"];

/** Text that breaks out of whatever does not escape it. */
export const HOSTILE = `</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>"' onload='x' \u202e\u0000\ud800&lt;${"w".repeat(400)}`;

/** A history in which every text is hostile and many numbers are none. */
export function hostileHistory(kind: TrainingHistory["kind"]): TrainingHistory {
  const honest = history({ kind, labels: kind === "ner" ? ["O", "B-x", "I-x"] : ["a", "b", "c"] });
  const { steps, evaluations, mistakes = [] } = honest;
  const spoil = <T>(value: T, index: number): T => (index % 3 === 1 ? (NaN as T) : index % 7 === 2 ? (null as T) : value);
  const labels = honest.labels.map((label) => HOSTILE + label);
  return {
    ...honest,
    name: HOSTILE,
    labels,
    settings: { [HOSTILE]: HOSTILE, deep: { deep: { deep: { deep: { deep: { [HOSTILE]: [HOSTILE, { x: HOSTILE }] } } } } }, list: [HOSTILE] },
    steps: steps.map((step, index) => ({ ...step, loss: spoil(step.loss, index), gradientNorm: Infinity })),
    evaluations: evaluations.map((evaluation, index) => ({ ...evaluation, loss: spoil(evaluation.loss, index) })),
    warnings: [HOSTILE, ...Array.from({ length: 100 }, (_, index) => `${HOSTILE} ${index}`)],
    ...(kind === "classification" ? { confusion: { labels, counts: [[1, 2], [], [3, 4, 5]] } } : {}),
    perEntity: [{ label: HOSTILE, precision: NaN, recall: 1, f1: NaN, support: 3 }],
    mistakes: [
      ...mistakes.map((mistake) => ({ ...mistake, text: HOSTILE })),
      { text: HOSTILE, expected: [{ start: -5, end: 3, label: HOSTILE }, { start: 2, end: 9, label: HOSTILE }, { start: 5, end: 1e9, label: HOSTILE }], predicted: [{ start: 0, end: 4, label: HOSTILE }], loss: NaN },
      { text: HOSTILE, expected: { toString: HOSTILE }, predicted: [HOSTILE, 7, null], loss: 1 },
      { text: HOSTILE, expected: HOSTILE, predicted: undefined, loss: 1 },
    ],
  }; // prettier-ignore
}

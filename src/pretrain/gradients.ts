import { contrastiveLoss, nearestPartners, poolBackward, poolForward } from "../train/contrastive.ts";
import { headBackward, headForward } from "../train/head.ts";
import { crossEntropyLoss } from "../train/losses.ts";
import type { TrainMachine } from "../train/machine.ts";
import { backward, beginPass, cutPasses, forward, type Pass } from "../train/pass.ts";
import { cutByTokens, type Peers } from "../train/peers.ts";
import type { PairText, SentenceText } from "./batch.ts";
import type { PretrainingModel } from "./model.ts";
import type { PretrainingSettings } from "./types.ts";

/** What a family's gradients are made with. */
export interface GradientContext {
  readonly machine: TrainMachine;
  readonly plan: PretrainingModel;
  readonly settings: PretrainingSettings;
  readonly peers: Peers;
  /** Awaited before each pass: lets the event loop turn, and throws where training is to end. */
  readonly turn: () => Promise<void>;
}

/**
 * Adds the gradients of `share` times the mean cross-entropy over the batch's labels; of the batch this peer computes its share.
 * @returns the mean loss over the whole batch; null when it has no label
 */
export async function addSentenceGradients(context: GradientContext, batch: readonly SentenceText[], share: number): Promise<number | null> {
  const { machine: m, plan, peers, turn } = context;
  const { model, groups } = plan;
  const group = groups.ner!;
  const head = group.head!;
  // Sentences without a label teach nothing.
  const texts = batch.filter(({ labels }) => labels.length > 0);
  const count = texts.reduce((sum, { labels }) => sum + labels.length, 0);
  if (count === 0) return null;
  const lengths = texts.map(({ ids }) => ids.length);
  const borders = cutByTokens(lengths, peers.size);
  const total = Float32Array.of(0);
  for (const [first, end] of cutPasses(lengths, borders[peers.rank]!, borders[peers.rank + 1]!, model.work.rows)) {
    await turn();
    const own = texts.slice(first, end);
    const pass = beginPass(m, model, own, group, null);
    const x = forward(m, pass);
    headForward(m, pass, head, x, pass.queries.rows);
    let logits = head.logits;
    for (const { labels, allowed } of own) {
      for (const loss of crossEntropyLoss(m, head.loss, logits, labels, share / count, { allowed: allowed ?? undefined })) total[0]! += loss;
      logits += labels.length * head.loss.classes * 4;
    }
    headBackward(m, pass, head, x, pass.queries.rows);
    backward(m, pass);
  }
  await peers.sum(total);
  return total[0]! / count;
}

/**
 * Adds the gradients of `share` times InfoNCE's mean over the batch; of the texts this peer computes its share. Where that does not fit in
 * one pass, texts go forward twice: first for all vectors, then, pass by pass, for their gradients (GradCache, arXiv 2101.06983).
 * @returns the loss, and the share of first texts that are nearest to their own partner, over the whole batch
 */
export async function addPairGradients(context: GradientContext, batch: readonly PairText[], share: number): Promise<{ loss: number; accuracy: number }> {
  const { machine: m, plan, settings, peers, turn } = context;
  const { model, groups } = plan;
  const place = plan.pairs!;
  const count = batch.length;
  const texts = [...batch.map(({ a }) => a), ...batch.map(({ b }) => b)].map((ids) => ({ ids }));
  const lengths = texts.map(({ ids }) => ids.length);
  const borders = cutByTokens(lengths, peers.size);
  const passes = cutPasses(lengths, borders[peers.rank]!, borders[peers.rank + 1]!, model.work.rows);
  const vectors = m.memory.floats(place.units, texts.length * place.hidden);
  if (peers.size > 1) vectors.fill(0);
  let last: Pass | null = null;
  const run = async ([first, end]: readonly [number, number]): Promise<Pass> => {
    await turn();
    last = beginPass(m, model, texts.slice(first, end), groups.tc, null);
    poolForward(m, place, last.batch, forward(m, last), first);
    return last;
  };
  for (const pass of passes) await run(pass);
  await peers.sum(vectors);
  const leftOut = equalPairs(batch);
  const accuracy = nearestPartners(m, place, count, leftOut) / count;
  const { temperature, direction } = settings.pairs;
  let loss = 0;
  for (const value of contrastiveLoss(m, place, count, share / count, { temperature, direction, leftOut })) loss += value / count;
  for (const [i, pass] of passes.toReversed().entries()) {
    // What the last pass kept is still there.
    const again: Pass = i === 0 ? last! : await run(pass);
    poolBackward(m, place, again.batch, model.work.dState, pass[0]);
    backward(m, again);
  }
  return { loss, accuracy };
}

/**
 * [count][count]: 1 where partner j is no negative of text i, because one of the texts of pair j is one of pair i. Compared as the encoder
 * sees them, token by token.
 */
export function equalPairs(batch: readonly PairText[]): Uint8Array {
  const keys = batch.map(({ a, b }) => [a.join(), b.join()] as const);
  const count = batch.length;
  const equal = new Uint8Array(count * count);
  for (const [i, [a, b]] of keys.entries()) {
    for (const [j, [otherA, otherB]] of keys.entries()) {
      if (i !== j && (a === otherA || b === otherB || a === otherB || b === otherA)) equal[i * count + j] = 1;
    }
  }
  return equal;
}

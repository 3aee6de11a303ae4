// A peer of the tests: sums numbers that are given or made from a seed, each sum after a random delay, and goes wrong where it is told to.
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { runPeer } from "../../../dist/train/parallel/peer.js";

const WAYS = {
  throw: () => {
    throw new RangeError("thrown by a peer");
  },
  exit: () => process.exit(3),
  "timer throws": () => {
    setTimeout(() => {
      throw new Error("thrown in a timer");
    });
    return pause(60_000);
  },
  "waits for nothing": () => new Promise(() => undefined),
  "is terminated": (post) => {
    post("terminate me");
    return pause(60_000);
  },
  "sums too much": (_, peers) => peers.sum(new Float32Array(1_000_000)),
  "ends early": () => "early",
  "cannot be cloned": () => () => undefined,
  "has a last word": async (post, _, signal) => {
    post("stop");
    while (!signal.aborted) await pause(1);
    post("last word");
    throw signal.reason;
  },
  "never stops": (post) => {
    post("stop");
    for (;;);
  },
};

/**
 * @param data.sums what is summed, one after the other: the number of values, or { count, given: the values of each rank, over and over }
 * @param data.seed of the values that are not given; @param data.timing of the delays, of 0 to `data.delay` ms
 * @param data.fault { rank, at, how } where `at` counts sums
 * @returns a hash of all sums of a round, for each round; rank 0 posts those that were given
 */
runPeer(async (peers, { sums, rounds = 1, seed = 1, timing = 1, delay = 0, fault }, { post, signal }) => {
  const { rank } = peers;
  const wait = random(timing * 31 + rank);
  const hashes = [];
  for (let round = 0; round < rounds; round++) {
    const value = random(seed * 1009 + rank);
    const hash = createHash("sha256");
    for (let at = 0; at <= sums.length; at++) {
      if (delay > 0) await hold(wait() * delay);
      if (fault?.rank === rank && fault.at === at) {
        const made = await WAYS[fault.how](post, peers, signal);
        if (made !== undefined) return made;
      }
      if (at === sums.length) break;
      const given = sums[at];
      const values = typeof given === "number" ? Float32Array.from({ length: given }, () => spread(value)) : Float32Array.from({ length: given.count }, (_, i) => given.given[rank][i % given.given[rank].length]);
      await peers.sum(values);
      post({ at, rank });
      hash.update(values);
      if (typeof given !== "number") post({ sums: values, rank });
    }
    hashes.push(hash.digest("hex"));
  }
  return hashes;
});

/** Numbers of many sizes, so that the order in which they are added shows. */
function spread(value) {
  return (value() - 0.5) * 2 ** Math.floor(value() * 40 - 20);
}

/** Half of the times by leaving the thread to others, half by keeping it busy. */
async function hold(time) {
  if (time * 1000 % 2 < 1) return pause(time);
  const end = performance.now() + time;
  while (performance.now() < end);
}

/** mulberry32: 0 to below 1. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { describe, expect, it } from "vitest";
import { largestGap } from "../encoder/gap.ts";
import { ALONE, SUMS, train, TRAINING, withPeers, type Trained } from "./parallel/built.ts";

/** Of a slice of the sum (src/train/parallel/shared-sums.ts). */
const SLICE = 1 << 18;

/** Values that every rank gives: its own list, over and over. */
interface Given {
  readonly count: number;
  readonly given: readonly (readonly number[])[];
}

/** What every rank found its values summed to, by sum and rank. */
async function sumsOf(size: number, sums: readonly Given[]): Promise<Float32Array[][]> {
  const found = sums.map(() => [] as Float32Array[]);
  const counts = Array.from({ length: size }, () => 0);
  await withPeers(size, SUMS, { sums }, {
    onMessage(message, rank) {
      const values = (message as { sums?: Float32Array }).sums;
      if (values !== undefined) found[counts[rank]!++]![rank] = values;
    },
  });
  return found;
}

/** The same by one thread. */
function expectedOf({ count, given }: Given): Float32Array {
  const [first, ...rest] = given.map((list) => Float32Array.from({ length: count }, (_, i) => list[i % list.length]!));
  return first!.map((value, i) => rest.reduce((sum, values) => Math.fround(sum + values[i]!), value));
}

function expectSame(found: readonly Float32Array[], expected: Float32Array, size: number): void {
  expect(found.length).toBe(size);
  for (const values of found) expect(Buffer.compare(new Uint8Array(values.buffer), new Uint8Array(expected.buffer))).toBe(0);
}

describe("sum", () => {
  it("adds rank 0's values first, then rank 1's, then rank 2's, in float32", async () => {
    // Any other order of additions gives another result for one of these.
    const cases = [[1e8, 1, -1e8], [1e8, -1e8, 1], [1, 1e8, -1e8], [-1e8, 1, 1e8], [2 ** 24, 1, 1], [1, 1, 2 ** 24]];
    const sums = [0, 1, 0, 0, 2 ** 24, 2 ** 24 + 2];
    const given = [0, 1, 2].map((rank) => cases.map((values) => values[rank]!));
    // Every place of a longer list as well, whoever adds it up.
    for (const count of [6, 66, SLICE]) {
      const [found] = await sumsOf(3, [{ count, given }]);
      expectSame(found!, Float32Array.from({ length: count }, (_, i) => sums[i % 6]!), 3);
    }
  });

  it.each([1, 2, 3, 5])("%i peers: any number of values, across slices", async (size) => {
    const given = Array.from({ length: size }, (_, rank) => Array.from({ length: 997 }, (__, i) => ((i * 31 + rank * 17) % 1001) / 7));
    const sums = [0, 1, 2, size, 97, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE + 5].map((count) => ({ count, given }));
    const found = await sumsOf(size, sums);
    for (const [at, one] of sums.entries()) expectSame(found[at]!, expectedOf(one), size);
  });

  it("one hash in 200 rounds of random delays, and in every run with other delays", async () => {
    const run = (timing: number, rounds: number) => withPeers<string[]>(3, SUMS, { sums: [5, 1000, 0, 4000, 1, 77], rounds, timing, delay: 2 });
    const hashes = [...(await run(1, 200)), ...(await run(2, 20)), ...(await run(3, 20)), ...(await run(4, 20))];
    expect(hashes.length).toBe(260);
    expect(new Set(hashes).size).toBe(1);
  });

  it("another seed gives another hash", async () => {
    const run = async (seed: number) => (await withPeers<string[]>(2, SUMS, { sums: [100], seed }))[0];
    expect(await run(1)).not.toBe(await run(2));
  });
});

describe.each(["full", "adapter"])("training in %s mode", (mode) => {
  const run = async (size: number): Promise<Trained> => {
    const hashes = new Set<unknown>();
    const trained = await withPeers<Trained>(size, TRAINING, mode, { onMessage: (hash) => hashes.add(hash) });
    // Every peer holds the same bits after every update.
    expect([...hashes]).toEqual([trained.hash]);
    return trained;
  };

  it("one peer has the bits of training alone", async () => {
    const alone = await train(ALONE, mode);
    expect(await run(1)).toEqual(alone);
    expect(alone.losses.at(-1)).toBeLessThan(alone.losses[0]!);
  });

  it.each([2, 3])("%i peers have the same bits at each run, and the gradients of one", async (size) => {
    const [alone, first, ...others] = [await train(ALONE, mode), await run(size), await run(size), await run(size)];
    for (const other of others) expect(other).toEqual(first);
    expect(first!.hash).not.toBe(alone!.hash);
    // Only the order in which 7 parts are added differs: at most 7 roundings of 2^-24 of what is added, none larger than a few of the largest gradient.
    const largest = Math.max(...alone!.gradients.map((values) => largestGap(values, new Float32Array(values.length))));
    const gap = Math.max(...alone!.gradients.map((values, at) => largestGap(values, first!.gradients[at]!)));
    expect(gap / largest).toBeLessThan(1e-6);
  });
});

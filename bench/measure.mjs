// Times of several ways of doing one thing, taken in turn: a slow spell of the machine meets all of them alike.

/**
 * @param ways `{ name, run }`, and whatever else a table needs of them
 * @returns the ways with `best` and `median` of the wall clock, and `cpu`: the least that the whole process worked. On a busy
 *   machine a short way finds a quiet moment sooner than a long one, so that its best is better than it deserves; the time
 *   of the processor knows no waiting. Where `best` is far above `cpu`, believe `cpu`.
 */
export async function interleave(ways, rounds) {
  const times = ways.map(() => []);
  const work = ways.map(() => Infinity);
  // Once unmeasured: engines compile what is called, sessions plan their memory for the shapes they see.
  for (const { run } of ways) await run();
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of ways.entries()) {
      const before = process.cpuUsage();
      const start = performance.now();
      await run();
      times[index].push(performance.now() - start);
      const { user, system } = process.cpuUsage(before);
      work[index] = Math.min(work[index], (user + system) / 1000);
    }
  }
  return ways.map((way, index) => {
    const sorted = times[index].sort((a, b) => a - b);
    return { ...way, best: sorted[0], median: sorted[sorted.length >> 1], cpu: work[index] };
  });
}

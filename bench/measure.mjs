// Times of several ways of doing one thing, taken in turn: a slow spell of the machine meets all of them alike.

/**
 * @param ways `{ name, run }`, and whatever else a table needs of them
 * @returns the ways with `best` and `median`, in milliseconds
 */
export async function interleave(ways, rounds) {
  const times = ways.map(() => []);
  // Once unmeasured: engines compile what is called, sessions plan their memory for the shapes they see.
  for (const { run } of ways) await run();
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of ways.entries()) {
      const start = performance.now();
      await run();
      times[index].push(performance.now() - start);
    }
  }
  return ways.map((way, index) => {
    const sorted = times[index].sort((a, b) => a - b);
    return { ...way, best: sorted[0], median: sorted[sorted.length >> 1] };
  });
}

// Rows that are drawn: the same on every machine, for every regime.

/** A seed of a name (FNV-1a). */
export function seedOf(name) {
  let seed = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) seed = Math.imul(seed ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return seed;
}

/** Numbers in [0, 1) by a seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `wanted` of the numbers 0 … count − 1, in rising order, each as likely as any; all of them where fewer are there. What is drawn of a smaller
 * `wanted` is among what is drawn of a larger one.
 * @returns {Int32Array}
 */
export function drawRows(count, wanted, seed) {
  const all = Int32Array.from({ length: count }, (_, row) => row);
  if (wanted >= count) return all;
  const random = randomOf(seed);
  for (let i = 0; i < wanted; i++) {
    const other = i + Math.floor(random() * (count - i));
    [all[i], all[other]] = [all[other], all[i]];
  }
  return all.slice(0, wanted).sort();
}

// Peers on Node, Deno and Bun: prints a hash of sums, what failures come to, and whether training repeats its bits. It ends when all threads have.
import { withPeers } from "../../../dist/train/parallel/with-peers.js";

const SUMS = new URL("./sums.mjs", import.meta.url);
const TRAINING = new URL("./peer-training.mjs", import.meta.url);
const sums = [3, 1000, 0, 300_000, 7];
const lines = [];

for (const size of [1, 2, 3]) lines.push(`${size} peers ${await withPeers(size, SUMS, { sums, delay: 1 })}`);
for (const how of ["throw", "exit", "timer throws", "waits for nothing", "sums too much"]) {
  for (const rank of [0, 2]) {
    const error = await withPeers(3, SUMS, { sums, delay: 1, fault: { rank, at: 3, how } }).catch((reason) => reason);
    lines.push(`${how} ${rank}: ${error.name} ${error.code} ${error.message}`);
  }
}
const stop = new AbortController();
setTimeout(() => stop.abort(), 50);
lines.push(await withPeers(3, SUMS, { sums, rounds: 1e6 }, { signal: stop.signal }).catch(({ name }) => name));
for (const mode of ["full", "adapter"]) {
  const [one, other] = [await withPeers(2, TRAINING, mode), await withPeers(2, TRAINING, mode)];
  lines.push(`${mode} ${one.hash === other.hash} ${one.losses.at(-1) < one.losses[0]}`);
}
process.stdout.write(`${lines.join("\n")}\n`);

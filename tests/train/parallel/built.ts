// Peers run built files: `npm test` builds first.
const built = async (name: string): Promise<unknown> => import(new URL(`../../../dist/${name}`, import.meta.url).href);

export const { withPeers } = (await built("train/parallel/with-peers.js")) as typeof import("../../../src/train/parallel/with-peers.ts");
export const { runPeer } = (await built("train/parallel/peer.js")) as typeof import("../../../src/train/parallel/peer.ts");
export const { RootstockError } = (await built("errors.js")) as typeof import("../../../src/errors.ts");

export const SUMS = new URL("./sums.mjs", import.meta.url);
export const TRAINING = new URL("./peer-training.mjs", import.meta.url);

export interface Trained {
  readonly hash: string;
  readonly losses: readonly number[];
  readonly gradients: readonly Float32Array[];
}

export const { ALONE } = (await built("train/peers.js")) as typeof import("../../../src/train/peers.ts");
export const { train } = (await import(new URL("./training.mjs", import.meta.url).href)) as { train(peers: typeof ALONE, mode: string): Promise<Trained> };

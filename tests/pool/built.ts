// Workers run built files, and errors must be of one class on both sides of a comparison: the tests of the pool take all of
// the package from dist, which `npm test` builds first.
const built = async (name: string): Promise<unknown> => import(new URL(`../../dist/${name}`, import.meta.url).href);

export const { loadPool, EncoderPool } = (await built("pool/index.js")) as typeof import("../../src/pool/index.ts");
export const { loadPoolOf } = (await built("pool/load.js")) as typeof import("../../src/pool/load.ts");
export const { nodeThread } = (await built("pool/thread.js")) as typeof import("../../src/pool/thread.ts");
export const { loadEncoder, RootstockError } = (await built("index.js")) as typeof import("../../src/index.ts");

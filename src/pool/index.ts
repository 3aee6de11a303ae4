/** Public names of `rootstock/pool`. */
export { loadPool } from "./load.ts";
export type { PoolOptions } from "./load.ts";
export { EncoderPool } from "./pool.ts";
export type { PoolInfo } from "./pool.ts";

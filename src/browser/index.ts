/** Names of `rootstock/browser`: what pages, workers and extensions need beside the core. */
export { cached, clearCache } from "./cached.ts";
export type { CacheOptions } from "./cached.ts";

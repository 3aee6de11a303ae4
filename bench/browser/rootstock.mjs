// What an application bundles: the library, its tokenizers and the cache.
export { loadEncoder } from "../../dist/index.js";
export { cached, clearCache } from "../../dist/browser/index.js";

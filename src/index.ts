/** `rootstock`: the kernels lie beside this code and are read from there. */
export * from "./api.ts";
export { loadEncoder } from "./runtime/load.ts";

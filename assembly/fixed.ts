// fixed.wasm: every kernel for engines without relaxed SIMD. Activation codes are i16.
export { quantizeRows } from "./int8/quantize-rows";
export { matmulFixed } from "./int8/matmul-fixed";
export * from "./f32/index";

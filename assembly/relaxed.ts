// relaxed.wasm: every kernel for engines with relaxed SIMD. Activation codes are i8.
export { quantizeRows } from "./int8/quantize-rows";
export { matmulRel1 } from "./int8/matmul-rel1";
export { matmulRel2 } from "./int8/matmul-rel2";
export * from "./f32/index";

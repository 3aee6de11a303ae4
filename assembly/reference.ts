// reference.wasm: a scalar twin of every kernel, on typed arrays, for tests only. It shares no code with the kernels.
export { rowCodes, rowScales, rowZeros } from "./reference/quantize-rows";
export { matmulInt8 } from "./reference/matmul-int8";
export { gelu, geluTanh, relu, sigmoid, tanh } from "./reference/activations";
export { layerNorm } from "./reference/layer-norm";
export { softmaxRows } from "./reference/softmax";
export { attention } from "./reference/attention";
export { addProduct, dense, lowRankAdd } from "./reference/dense";
export { embed, gatherRows, l2Normalize, meanRows, scaleShiftRows } from "./reference/rows";

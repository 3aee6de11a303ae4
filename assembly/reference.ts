// reference.wasm: a scalar twin of every kernel, on typed arrays, for tests only. It shares no code with the kernels.
export { rowCodes, rowScales, rowZeros } from "./reference/quantize-rows";
export { matmulInt8 } from "./reference/matmul-int8";
export { gelu, geluTanh, relu, sigmoid, tanh } from "./reference/activations";
export { layerNorm } from "./reference/layer-norm";
export { softmaxRows } from "./reference/softmax";
export { attention } from "./reference/attention";
export { addProduct, dense, lowRankAdd } from "./reference/dense";
export { embed, gatherRows, l2Normalize, meanRows, scaleShiftRows } from "./reference/rows";
export { addTo, columnDots, scaleValues } from "./reference/train/columns";
export { layerNormBackward, layerNormForward } from "./reference/train/layer-norm";
export { geluBackward, geluTanhBackward, reluBackward, tanhBackward } from "./reference/train/activations";
export { attentionBackward, attentionForward } from "./reference/train/attention";
export { l2NormalizeBackward, meanRowsBackward, rowNorms, scatterAddRows } from "./reference/train/rows";
export { contrastive, crossEntropy, sigmoidCrossEntropy } from "./reference/train/losses";
export { dropout } from "./reference/train/dropout";
export { adamW, innerProduct } from "./reference/train/optimizer";

// The f32 steps: the same kernels in both binaries. Tests fix every one of them to the bits of its scalar twin.
export { embed } from "./embed";
export { layerNorm } from "./layer-norm";
export { gelu, geluTanh, relu, sigmoid, tanh } from "./activations";
export { softmaxRows } from "./softmax";
export { attention } from "./attention";
export { addProduct, dense } from "./dense";
export { lowRankAdd } from "./low-rank";
export { gatherRows } from "./gather";
export { scaleShiftRows } from "./scale-shift";
export { l2Normalize, meanRows } from "./pooling";

// train-fixed.wasm and train-relaxed.wasm: what training adds to the kernels that serve. The same source twice; relaxed fuses
// multiply and add.
export { addTo, product, scaleValues } from "./train/product";
export { packColumnPanels, packRowPanels, transposeRows } from "./train/pack";
export { columnDots, columnSums } from "./train/columns";
export { layerNormBackward, layerNormForward } from "./train/layer-norm";
export { geluBackward, geluTanhBackward, reluBackward, tanhBackward } from "./train/activations";
export { attentionBackward, attentionForward } from "./train/attention";
export { l2NormalizeBackward, meanRowsBackward, rowNorms, scatterAddRows } from "./train/rows";
export { crossEntropy, sigmoidCrossEntropy } from "./train/cross-entropy";
export { contrastive } from "./train/contrastive";
export { dropout } from "./train/dropout";
export { adamW, innerProduct } from "./train/optimizer";

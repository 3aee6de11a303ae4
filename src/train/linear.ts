import type { LinearPlace } from "../model/weight-format.ts";
import type { Address } from "../wasm/kernels.ts";
import type { Layout } from "../wasm/memory.ts";
import { drop, type Draws } from "./dropout.ts";
import type { TrainMachine } from "./machine.ts";
import type { Parameter, Parameters } from "./parameters.ts";
import { adapt, adaptBackward, addLowRankGradient, type TrainSlot } from "./slot.ts";
import type { TrainWorkspace } from "./workspace.ts";

/** A linear layer y = W·x + b as training sees it. */
export interface TrainLinear {
  readonly depth: number;
  readonly columns: number;
  /** Where it lies as it is served, 7-bit: forward uses this. null: forward is float32. */
  readonly served: LinearPlace | null;
  /** f32 [columns][depth], or 0 where only the panels are kept. Of a served layer: what its codes stand for. */
  readonly weight: Address;
  /** f32 [columns] */
  readonly bias: Address;
  /** null: frozen. */
  readonly trained: { readonly weight: Parameter; readonly bias: Parameter } | null;
  /** W in `packRowPanels`, for forward in float32. */
  readonly forwardPanels: Address;
  /** W in `packColumnPanels`, for dX = dY·W. */
  readonly backwardPanels: Address;
}

/** A layer of float32 weights, named `name`.weight and `name`.bias: trained, or frozen. */
export function planTrained(layout: Layout, parameters: Parameters, name: string, columns: number, depth: number, isFrozen = false): TrainLinear {
  const weight = parameters.add(`${name}.weight`, [columns, depth], isFrozen);
  const bias = parameters.add(`${name}.bias`, [columns], isFrozen);
  return {
    depth, columns, served: null, weight: weight.value, bias: bias.value, trained: isFrozen ? null : { weight, bias },
    forwardPanels: layout.reserve(panelBytes(columns, depth)), backwardPanels: layout.reserve(panelBytes(depth, columns)),
  };
}

/** Bytes of ⌈count/8⌉ panels of `depth` steps. */
export function panelBytes(count: number, depth: number): number {
  return Math.ceil(count / 8) * depth * 32;
}

/** Packs the weights again, after an update. */
export function repack(m: TrainMachine, linear: TrainLinear): void {
  if (linear.trained !== null) pack(m, linear);
}

/** Packs float32 weights for the products. */
export function pack({ train }: TrainMachine, { weight, columns, depth, forwardPanels, backwardPanels }: TrainLinear): void {
  train.packRowPanels(weight, columns, depth, depth, forwardPanels);
  train.packColumnPanels(weight, columns, depth, depth, backwardPanels);
}

/** What a step of a pass is told besides rows and addresses. */
export interface Use {
  readonly work: TrainWorkspace;
  readonly draws: Draws | null;
  /** A number of its own for each linear layer of a pass, for dropout. */
  readonly place: number;
}

/** y = g ∘ (W(u ∘ x) + s·B(A x)) + c. x f32 [rows][depth], y f32 [rows][columns]. */
export function linearForward(m: TrainMachine, use: Use, linear: TrainLinear, slot: TrainSlot | null, x: Address, rows: number, y: Address): void {
  const { columns, depth, served } = linear;
  if (served !== null) servedProduct(m, use.work, served, slot, x, rows, y);
  else m.train.product(scaledInput(m, use, linear, slot, x, rows), rows, depth * 4, 4, depth, linear.forwardPanels, depth * 32, 32, columns, linear.bias, y, columns, 0);
  if (slot !== null) adapt(m, slot, lowRankInput(m, use, slot, x, rows), rows, y);
}

/** The product exactly as it is served: same codes, same kernel, same bits (src/run/forward.ts). */
function servedProduct({ kernels }: TrainMachine, work: TrainWorkspace, place: LinearPlace, slot: TrainSlot | null, x: Address, rows: number, y: Address): void {
  const { depth, columns, panels, channels } = place;
  const inputScale = slot?.numbers.inputScale || place.inputScale;
  for (let first = 0; first < rows; first += work.block) {
    const n = Math.min(work.block, rows - first);
    kernels.quantizeRows(x + first * depth * 4, n, depth, depth, inputScale, work.codes, work.rowTerms);
    kernels.matmul(work.codes, work.rowTerms, n, depth, panels, channels, columns, y + first * columns * 4, columns);
  }
}

/** u ∘ x where the slot has one, else x itself. */
function scaledInput({ kernels, memory }: TrainMachine, { work }: Use, { depth }: TrainLinear, slot: TrainSlot | null, x: Address, rows: number): Address {
  const u = slot?.inputScale ?? null;
  if (u === null) return x;
  memory.u8.copyWithin(work.scaled, x, x + rows * depth * 4);
  kernels.scaleShiftRows(work.scaled, rows, depth, depth, u.value, 0);
  return work.scaled;
}

/** What the low-rank term reads: x, after dropout where there is any. Forward and backward make the same. */
function lowRankInput(m: TrainMachine, { work, draws, place }: Use, { rank, depth }: TrainSlot, x: Address, rows: number): Address {
  if (rank === 0 || draws === null || draws.rates.lora === 0) return x;
  m.memory.u8.copyWithin(work.dropped, x, x + rows * depth * 4);
  drop(m, draws, "lora", place, work.dropped, rows * depth);
  return work.dropped;
}

/**
 * Gradients of everything that is trained in the layer, and of its input.
 * @param x    f32 [rows][depth]: what forward was given
 * @param dy   f32 [rows][columns]; used up
 * @param dx   f32 [rows][depth]; 0: not wanted
 * @param adds add to `dx`, or write it
 */
export function linearBackward(
  m: TrainMachine, use: Use, linear: TrainLinear, slot: TrainSlot | null, x: Address, dy: Address, rows: number, dx: Address, adds: boolean,
): void {
  const { train } = m;
  const { columns, depth, trained } = linear;
  const { work } = use;
  if (slot !== null) adaptBackward(m, work, linear, slot, dy, rows);
  else if (trained !== null) train.columnSums(dy, rows, columns, trained.bias.gradient);
  if (trained !== null) {
    const input = scaledInput(m, use, linear, slot, x, rows);
    train.transposeRows(dy, rows, columns, columns, work.transposed);
    train.packColumnPanels(input, rows, depth, depth, work.panels);
    const wide = Math.ceil(rows / 4) * 16;
    train.product(work.transposed, columns, wide, 4, rows, work.panels, rows * 32, 32, depth, 0, trained.weight.gradient, depth, 1);
  }
  inputGradient(m, work, linear, slot, x, dy, rows, dx, adds);
  if (slot !== null && slot.rank > 0) {
    const { draws, place } = use;
    const isDropped = draws !== null && draws.rates.lora > 0;
    const to = isDropped && dx !== 0 ? work.scaled : dx;
    addLowRankGradient(m, work, slot, lowRankInput(m, use, slot, x, rows), dy, rows, to, !isDropped);
    if (!isDropped || dx === 0) return;
    drop(m, draws, "lora", place, work.scaled, rows * depth);
    train.addTo(work.scaled, rows * depth, dx);
  }
}

/** dx (+)= u ∘ (dy·W), and du = Σ (dy·W) ∘ x. */
function inputGradient(
  { kernels, train, memory }: TrainMachine, work: TrainWorkspace, { columns, depth, backwardPanels }: TrainLinear, slot: TrainSlot | null,
  x: Address, dy: Address, rows: number, dx: Address, adds: boolean,
): void {
  const u = slot?.inputScale ?? null;
  const through = (to: Address, accumulate: boolean): void =>
    train.product(dy, rows, columns * 4, 4, columns, backwardPanels, columns * 32, 32, depth, 0, to, depth, accumulate ? 1 : 0);
  if (u === null) {
    if (dx !== 0) through(dx, adds);
    return;
  }
  through(work.scaled, false);
  train.columnDots(work.scaled, x, rows, depth, u.gradient);
  if (dx === 0) return;
  kernels.scaleShiftRows(work.scaled, rows, depth, depth, u.value, 0);
  if (adds) train.addTo(work.scaled, rows * depth, dx);
  else memory.u8.copyWithin(dx, work.scaled, work.scaled + rows * depth * 4);
}

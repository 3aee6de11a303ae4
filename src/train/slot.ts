import { doraGain, transposed } from "../model/adapter-values.ts";
import type { Slot } from "../model/slot.ts";
import type { Address } from "../wasm/kernels.ts";
import { alignUp, type Layout } from "../wasm/memory.ts";
import type { TrainLinear } from "./linear.ts";
import type { TrainMachine } from "./machine.ts";
import type { Parameter, Parameters } from "./parameters.ts";
import type { TrainWorkspace } from "./workspace.ts";

/**
 * What is trained in one linear layer's slot y = g ∘ (W(u ∘ x) + s·B(A x)) + c (src/model/slot.ts), and the numbers that the
 * forward pass reads: those of the served slot, made anew after every update (`refreshSlot`). null: not trained, the identity.
 */
export interface TrainSlot {
  readonly depth: number;
  readonly columns: number;
  /** 0: no low-rank term. */
  readonly rank: number;
  /** s: alpha/r, or alpha/√r. */
  readonly scale: number;
  /** A [rank][depth], B [columns][rank] */
  readonly down: Parameter | null;
  readonly up: Parameter | null;
  /** DoRA's m [columns]: g = m/‖W + s·BA‖, the norm taken as a constant (arXiv 2402.09353, 4.3; as PEFT). */
  readonly magnitude: Parameter | null;
  /** (IA)³'s u [depth], or its g [columns], which scales the layer's bias as well. */
  readonly inputScale: Parameter | null;
  readonly outputScale: Parameter | null;
  /** c [columns], in place of the layer's own bias. */
  readonly bias: Parameter | null;
  readonly numbers: Slot;
  /** s·B, f32 [columns][rank rounded up to 4] */
  readonly upRows: Address;
  /** ‖W + s·BA‖, f32 [columns] */
  readonly norms: Address;
  /** A x, f32 [rows][rank rounded up to 4], and y before g, f32 [rows][columns]: what backward needs of forward. */
  readonly keptLowRank: Address;
  readonly keptOutput: Address;
}

/** What a slot is to hold. */
export interface SlotKind {
  readonly rank: number;
  readonly scale: number;
  readonly dora: boolean;
  /** (IA)³: "input" for a feed-forward layer, "output" for others. */
  readonly ia3: "input" | "output" | null;
  readonly bias: boolean;
}

/** Parameters named as PEFT names them under `name`: `.lora_A.weight`, `.lora_B.weight`, `.lora_magnitude_vector`, `.ia3_l`, `.bias`. */
export function planSlot(layout: Layout, parameters: Parameters, name: string, linear: TrainLinear, kind: SlotKind, rows: number): TrainSlot {
  const { depth, columns, served } = linear;
  const { rank, scale, dora, ia3, bias } = kind;
  const floats = (count: number): Address => layout.reserve(count * 4);
  const inputScale = ia3 === "input" ? parameters.add(`${name}.ia3_l`, [1, depth]) : null;
  const outputScale = ia3 === "output" ? parameters.add(`${name}.ia3_l`, [columns, 1]) : null;
  const hasGain = dora || outputScale !== null;
  const wide = alignUp(rank, 4);
  return {
    depth, columns, rank, scale, inputScale, outputScale,
    down: rank > 0 ? parameters.add(`${name}.lora_A.weight`, [rank, depth]) : null,
    up: rank > 0 ? parameters.add(`${name}.lora_B.weight`, [columns, rank]) : null,
    magnitude: dora ? parameters.add(`${name}.lora_magnitude_vector`, [columns]) : null,
    bias: bias ? parameters.add(`${name}.bias`, [columns]) : null,
    numbers: {
      rank,
      inputScale: inputScale === null ? 0 : served === null || served.inputScale === 0 ? inputScale.value : floats(depth),
      down: rank > 0 ? floats(depth * wide) : 0,
      up: rank > 0 ? floats(rank * alignUp(columns, 4)) : 0,
      outputScale: dora ? floats(columns) : (outputScale?.value ?? 0),
      shift: dora || bias ? floats(columns) : 0,
    },
    upRows: rank > 0 ? floats(columns * wide) : 0,
    norms: dora ? floats(columns) : 0,
    keptLowRank: rank > 0 ? floats(rows * wide) : 0,
    keptOutput: hasGain ? floats(rows * columns) : 0,
  };
}

/** Makes the numbers that forward reads of what is trained: to be called after every update. */
export function refreshSlot(m: TrainMachine, work: TrainWorkspace, linear: TrainLinear, slot: TrainSlot): void {
  const { memory } = m;
  const { depth, columns, rank, scale, down, up, inputScale, numbers } = slot;
  const { served } = linear;
  if (inputScale !== null && numbers.inputScale !== inputScale.value) {
    const base = memory.floats(served!.inputScale, depth);
    memory.floats(numbers.inputScale, depth).set(memory.floats(inputScale.value, depth).map((u, k) => u * base[k]!));
  }
  if (down !== null && up !== null) {
    const [a, b] = [memory.floats(down.value, down.count), memory.floats(up.value, up.count)];
    const wide = alignUp(rank, 4);
    memory.f32.set(transposed(a, rank, depth, 1), numbers.down >>> 2);
    memory.f32.set(transposed(b, columns, rank, scale), numbers.up >>> 2);
    const rows = memory.floats(slot.upRows, columns * wide);
    for (let c = 0; c < columns; c++) for (let r = 0; r < rank; r++) rows[c * wide + r] = scale * b[c * rank + r]!;
  }
  if (slot.magnitude !== null) refreshGain(m, work, linear, slot, slot.magnitude);
  if (numbers.shift === 0) return;
  const base = memory.floats(linear.bias, columns);
  const own = slot.bias === null ? base : memory.floats(slot.bias.value, columns);
  const gain = slot.magnitude === null ? null : memory.floats(numbers.outputScale, columns);
  memory.floats(numbers.shift, columns).set(own.map((c, i) => c - (gain?.[i] ?? 1) * base[i]!));
}

/** DoRA's g = m/‖W + s·BA‖ of each row, as many rows at a time as the scratch holds. */
function refreshGain({ memory, train }: TrainMachine, work: TrainWorkspace, linear: TrainLinear, slot: TrainSlot, magnitude: Parameter): void {
  const { depth, columns, rank, norms, upRows, down, numbers } = slot;
  const wide = alignUp(rank, 4) * 4;
  for (let first = 0; first < columns; first += work.rows) {
    const n = Math.min(work.rows, columns - first);
    const from = linear.weight + first * depth * 4;
    memory.u8.copyWithin(work.scaled, from, from + n * depth * 4);
    train.product(upRows + first * wide, n, wide, 4, rank, down!.value, 32, depth * 4, depth, 0, work.scaled, depth, 1);
    train.rowNorms(work.scaled, n, depth, norms + first * 4);
  }
  memory.floats(numbers.outputScale, columns).set(doraGain(memory.floats(magnitude.value, columns), memory.floats(norms, columns)));
}

/** y = g ∘ (y + s·B(A x)) + shift, with what backward needs kept. */
export function adapt({ kernels, memory }: TrainMachine, slot: TrainSlot, x: Address, rows: number, y: Address): void {
  const { depth, columns, rank, numbers, keptLowRank, keptOutput } = slot;
  const { down, up, outputScale, shift } = numbers;
  if (rank > 0) kernels.lowRankAdd(x, rows, depth, depth, down, rank, up, columns, keptLowRank, y, columns);
  if (outputScale !== 0) memory.u8.copyWithin(keptOutput, y, y + rows * columns * 4);
  if (outputScale !== 0 || shift !== 0) kernels.scaleShiftRows(y, rows, columns, columns, outputScale, shift);
}

/** Gradients of c (or of the layer's own bias), of m or g; dy becomes the gradient of W(u ∘ x) + s·B(A x). */
export function adaptBackward(
  { kernels, memory, train }: TrainMachine, work: TrainWorkspace, linear: TrainLinear, slot: TrainSlot, dy: Address, rows: number,
): void {
  const { columns, magnitude, outputScale, numbers, keptOutput } = slot;
  const bias = slot.bias ?? linear.trained?.bias ?? null;
  // (IA)³'s g scales the layer's own bias, DoRA's does not; (IA)³ has no c.
  if (bias !== null && outputScale === null) train.columnSums(dy, rows, columns, bias.gradient);
  if (outputScale !== null) train.columnDots(dy, keptOutput, rows, columns, outputScale.gradient);
  if (magnitude !== null) {
    const [dots, sums] = [work.sums, work.sums + columns * 4];
    memory.floats(work.sums, 2 * columns).fill(0);
    train.columnDots(dy, keptOutput, rows, columns, dots);
    train.columnSums(dy, rows, columns, sums);
    const { f32 } = memory;
    for (let c = 0; c < columns; c++) {
      const norm = f32[(slot.norms >>> 2) + c]!;
      if (norm === 0) continue; // m of a row of zeros changes nothing
      const scaled = f32[(dots >>> 2) + c]! - f32[(linear.bias >>> 2) + c]! * f32[(sums >>> 2) + c]!;
      f32[(magnitude.gradient >>> 2) + c]! += scaled / norm;
    }
  }
  if (numbers.outputScale !== 0) kernels.scaleShiftRows(dy, rows, columns, columns, numbers.outputScale, 0);
  if (bias !== null && outputScale !== null) train.columnSums(dy, rows, columns, bias.gradient);
}

/**
 * Gradients of A and B, and dx (+)= s·dy·B·A.
 * @param x  f32 [rows][depth]: what the low-rank term was given
 * @param dy f32 [rows][columns]: gradient of W(u ∘ x) + s·B(A x)
 * @param dx f32 [rows][depth], or 0: not wanted
 */
export function addLowRankGradient(
  { memory, train }: TrainMachine, work: TrainWorkspace, slot: TrainSlot, x: Address, dy: Address, rows: number, dx: Address, adds: boolean,
): void {
  const { depth, columns, rank, scale, down, up, upRows, keptLowRank } = slot;
  const wide = alignUp(rank, 4) * 4;
  const { lowRank: dt, lowRankScaled } = work;
  train.product(dy, rows, columns * 4, 4, columns, upRows, 32, wide, rank, 0, dt, wide / 4, 0);
  memory.u8.copyWithin(lowRankScaled, keptLowRank, keptLowRank + rows * wide);
  train.scaleValues(lowRankScaled, (rows * wide) / 4, scale);
  train.product(dy, columns, 4, columns * 4, rows, lowRankScaled, 32, wide, rank, 0, up!.gradient, rank, 1);
  train.product(dt, rank, 4, wide, rows, x, 32, depth * 4, depth, 0, down!.gradient, depth, 1);
  if (dx !== 0) train.product(dt, rows, wide, 4, rank, down!.value, 32, depth * 4, depth, 0, dx, depth, adds ? 1 : 0);
}

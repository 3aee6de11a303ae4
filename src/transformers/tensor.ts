import { RootstockError } from "../errors.ts";

/** What a tensor's numbers lie in. */
export type TensorData = Float32Array | Int8Array | Uint8Array;

/** A tensor as nested lists of numbers. */
export type NestedNumbers = number | NestedNumbers[];

/**
 * Numbers in rows, row-major: `data`, and in `dims` how many there are along each dimension. `tensor[i]` and iterating
 * give its rows (tensors over the same memory) where there are at least two dimensions.
 */
export class Tensor<Data extends TensorData = TensorData> {
  readonly type: "float32" | "int8" | "uint8";
  readonly data: Data;
  readonly dims: readonly number[];
  readonly [index: number]: Tensor<Data>;

  constructor(data: Data, dims: readonly number[]) {
    const size = dims.reduce((product, length) => product * length, 1);
    if (size !== data.length) throw new RootstockError("argument-invalid", `a tensor of ${dims.join(" × ")} has ${size} numbers, not ${data.length}.`);
    this.type = data instanceof Float32Array ? "float32" : data instanceof Int8Array ? "int8" : "uint8";
    this.data = data;
    this.dims = [...dims];
    if (dims.length < 2) return;
    for (let index = 0; index < dims[0]!; index++) Object.defineProperty(this, index, { get: () => rowOf(this, index) });
  }

  /** How many numbers there are. */
  get size(): number {
    return this.data.length;
  }

  /** The numbers in nested lists, as deep as there are dimensions. */
  tolist(): NestedNumbers[] {
    if (this.dims.length < 2) return Array.from(this.data);
    return [...this].map((row) => row.tolist());
  }

  /** The one number of a tensor that has no more. @throws RootstockError `argument-invalid`. */
  item(): number {
    if (this.data.length === 1) return this.data[0]!;
    throw new RootstockError("argument-invalid", `the tensor has ${this.data.length} numbers; item() is for tensors of one.`);
  }

  *[Symbol.iterator](): Generator<Tensor<Data>> {
    for (let index = 0; index < (this.dims.length < 2 ? 0 : this.dims[0]!); index++) yield rowOf(this, index);
  }

  /** Nothing to do: the numbers are on the JavaScript heap. */
  dispose(): void {}
}

function rowOf<Data extends TensorData>({ data, dims: [, ...dims] }: Tensor<Data>, index: number): Tensor<Data> {
  const size = dims.reduce((product, length) => product * length, 1);
  return new Tensor(data.subarray(index * size, (index + 1) * size) as Data, dims);
}

import { RootstockError } from "../errors.ts";

/** What a tensor's numbers lie in. */
export type TensorData = Float32Array | Int8Array | Uint8Array;

/**
 * Numbers in rows, row-major: `data`, and in `dims` how many there are along each dimension. `tensor[i]` is a row, a tensor over the
 * same memory, `tensor[-1]` the last; of one dimension's it has one number and no dimension (`item()`). Iterating gives rows, of one
 * dimension the numbers.
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
  }

  /** How many numbers there are. */
  get size(): number {
    return this.data.length;
  }

  /** The numbers in nested lists, as deep as there are dimensions; typed as transformers.js types it, since no type tells how deep. */
  // oxlint-disable-next-line typescript/no-explicit-any
  tolist(): any[] {
    if (this.dims.length < 2) return Array.from(this.data);
    return Array.from(this, (row: Tensor<Data>) => row.tolist());
  }

  /** The one number of a tensor that has no more. @throws RootstockError `argument-invalid`. */
  item(): number {
    if (this.data.length === 1) return this.data[0]!;
    throw new RootstockError("argument-invalid", `the tensor has ${this.data.length} numbers; item() is for tensors of one.`);
  }

  /** Rows, or the numbers of one dimension; typed as `tolist`. */
  // oxlint-disable-next-line typescript/no-explicit-any
  *[Symbol.iterator](): Generator<any, void, undefined> {
    if (this.dims.length < 2) yield* this.data;
    else for (let index = 0; index < this.dims[0]!; index++) yield rowOf(this, index);
  }

  /** Nothing to do: the numbers are on the JavaScript heap. */
  dispose(): void {}
}

/**
 * Above `Tensor` in the chain of prototypes, where a tensor is looked into for what it does not have itself: its rows by number. A getter for
 * each would cost every tensor one a row; a proxy of the tensor itself would slow `data` down and could not be sent to a worker.
 */
const rowsByNumber = new Proxy({} as object, {
  get: (above, name, tensor) => (typeof name === "string" && /^-?\d+$/.test(name) ? rowOf(tensor as Tensor, Number(name)) : Reflect.get(above, name, tensor)),
});
Object.setPrototypeOf(Tensor.prototype, rowsByNumber);

/** @throws RootstockError `argument-invalid` for a row that is not there. */
function rowOf<Data extends TensorData>({ data, dims: [rows = 0, ...dims] }: Tensor<Data>, index: number): Tensor<Data> {
  if (index < -rows || index >= rows) throw new RootstockError("argument-invalid", `the tensor has ${rows} rows; there is no row ${index}.`);
  const size = dims.reduce((product, length) => product * length, 1);
  const start = (index < 0 ? index + rows : index) * size;
  return new Tensor(data.subarray(start, start + size) as Data, dims);
}

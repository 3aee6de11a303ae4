import { expect, it } from "vitest";
import { cos_sim, dot, Tensor } from "../../src/transformers/index.ts";

it("holds numbers in rows: type, size, lists, rows by number and in turn", () => {
  const tensor = new Tensor(Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]), [2, 2, 2]);
  expect([tensor.type, tensor.size, tensor.dims]).toEqual(["float32", 8, [2, 2, 2]]);
  expect(tensor.tolist()).toEqual([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // prettier-ignore
  expect(tensor[1]!.tolist()).toEqual([[5, 6], [7, 8]]); // prettier-ignore
  expect(tensor[1]![0]!.tolist()).toEqual([5, 6]);
  expect([...tensor].map(({ dims }: Tensor) => dims)).toEqual([[2, 2], [2, 2]]); // prettier-ignore
  tensor[1]!.data[0] = 9;
  expect(tensor.data[4]).toBe(9);
  expect(new Tensor(Int8Array.of(-1), [1]).type).toBe("int8");
  expect(new Tensor(Uint8Array.of(1, 2), [2, 1]).type).toBe("uint8");
});

it("of one dimension gives its numbers in turn, and by number as transformers.js does: tensors of one", () => {
  const tensor = new Tensor(Float32Array.from([1, 2, 3, 4]), [2, 2]);
  expect([...tensor[1]!]).toEqual([3, 4]);
  const seen: number[] = [];
  for (const [one, two] of tensor) seen.push(one, two);
  expect(seen).toEqual([1, 2, 3, 4]);
  expect(Array.from(tensor[0]!, (value: number) => value * 2)).toEqual([2, 4]);
  const one = tensor[0]![1]!;
  expect([one.dims, one.item(), [...one], one.tolist()]).toEqual([[], 2, [2], [2]]);
  one.data[0] = 7;
  expect(tensor.data[1]).toBe(7);
  expect([tensor[-1]!.tolist(), tensor[-2]![-1]!.item()]).toEqual([[3, 4], 7]); // prettier-ignore
});

it("refuses a row that is not there, as transformers.js does, and has nothing else that is not its own", () => {
  const tensor = new Tensor(Float32Array.from([1, 2, 3, 4]), [2, 2]);
  for (const row of [2, -3, 1e9]) expect(() => tensor[row]).toThrow(expect.objectContaining({ code: "argument-invalid", message: expect.stringMatching(/has 2 rows; there is no row/) as string }));
  expect(() => tensor[0]![0]![0]).toThrow(expect.objectContaining({ code: "argument-invalid" }));
  expect([Reflect.get(tensor, ""), Reflect.get(tensor, "1.5"), Reflect.get(tensor, "then"), Reflect.get(tensor, Symbol.toPrimitive)]).toEqual([undefined, undefined, undefined, undefined]);
  expect(tensor).toBeInstanceOf(Tensor);
  // A worker's answer.
  expect(structuredClone(tensor)).toEqual({ type: "float32", data: tensor.data, dims: [2, 2] });
});

it("gives its one number, and refuses to when it has more", () => {
  expect(new Tensor(Float32Array.of(3), [1, 1]).item()).toBe(3);
  expect(() => new Tensor(Float32Array.of(3, 4), [2]).item()).toThrow(expect.objectContaining({ code: "argument-invalid" }));
  expect(() => new Tensor(Float32Array.of(3, 4), [3])).toThrow(expect.objectContaining({ code: "argument-invalid" }));
});

it("compares vectors", () => {
  expect(dot([1, 2, 3], [4, 5, 6])).toBe(32);
  expect(cos_sim([1, 0], [1, 1])).toBeCloseTo(Math.SQRT1_2, 15);
  expect(cos_sim(Float32Array.of(2, 0), [-3, 0])).toBe(-1);
  const row = new Tensor(Float32Array.of(1, 2), [2]);
  for (const [a, b] of [[row, row], [[1, 2], row], [null, [1]], [[1], undefined]]) expect(() => cos_sim(a as never, b as never)).toThrow(expect.objectContaining({ code: "argument-invalid", message: expect.stringMatching(/without a length; give numbers: a tensor's are its \.data/) as unknown }) as Error);
  expect(() => dot([1], [1, 2])).toThrow(expect.objectContaining({ code: "argument-invalid" }));
});

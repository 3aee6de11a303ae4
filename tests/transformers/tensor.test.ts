import { expect, it } from "vitest";
import { cos_sim, dot, Tensor } from "../../src/transformers/index.ts";

it("holds numbers in rows: type, size, lists, rows by number and in turn", () => {
  const tensor = new Tensor(Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]), [2, 2, 2]);
  expect([tensor.type, tensor.size, tensor.dims]).toEqual(["float32", 8, [2, 2, 2]]);
  expect(tensor.tolist()).toEqual([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // prettier-ignore
  expect(tensor[1]!.tolist()).toEqual([[5, 6], [7, 8]]); // prettier-ignore
  expect(tensor[1]![0]!.tolist()).toEqual([5, 6]);
  expect(tensor[2]).toBeUndefined();
  expect([...tensor].map(({ dims }) => dims)).toEqual([[2, 2], [2, 2]]); // prettier-ignore
  tensor[1]!.data[0] = 9;
  expect(tensor.data[4]).toBe(9);
  expect(new Tensor(Int8Array.of(-1), [1]).type).toBe("int8");
  expect(new Tensor(Uint8Array.of(1, 2), [2, 1]).type).toBe("uint8");
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
  expect(() => dot([1], [1, 2])).toThrow(expect.objectContaining({ code: "argument-invalid" }));
});

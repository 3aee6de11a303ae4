import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { drawRows } = await benchModule("draw");
const { trainingRows } = await benchModule("data");
const { cellName, cellsOf, readCell } = await benchModule("cells");

test("a draw is the same for ever, in rising order, and within larger draws of its seed", () => {
  expect(Array.from(drawRows(20, 5, 1))).toEqual([1, 3, 11, 12, 19]);
  for (const seed of [1, 2, 3]) {
    const small = drawRows(4000, 400, seed) as Int32Array;
    const large = new Set(drawRows(4000, 1500, seed) as Int32Array);
    expect(small).toHaveLength(400);
    expect([...small].every((row, i) => i === 0 || row > small[i - 1]!)).toBe(true);
    expect([...small].every((row) => large.has(row))).toBe(true);
  }
  expect(drawRows(4000, 400, 1)).not.toEqual(drawRows(4000, 400, 2));
  expect(Array.from(drawRows(3, 7, 1))).toEqual([0, 1, 2]);
});

test("every row is drawn about as often as any other", () => {
  const times = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 3000; seed++) for (const row of drawRows(10, 3, seed) as Int32Array) times[row]!++;
  // 900 expected of each, standard deviation 25.
  for (const count of times) expect(Math.abs(count - 900)).toBeLessThan(125);
});

test("a share of the training rows is rounded, and never none", () => {
  expect(trainingRows(1010, 10, 1)).toHaveLength(101);
  expect(trainingRows(92, 10, 3)).toHaveLength(9);
  expect(trainingRows(2, 10, 1)).toHaveLength(1);
  expect(Array.from(trainingRows(4, 100, null))).toEqual([0, 1, 2, 3]);
});

test("cells have names that lead back to them", () => {
  const cells = cellsOf({ protocols: ["linear", "lora"], tasks: ["wikigold", "sms_spam"], shares: [100, 10] });
  expect(cells).toHaveLength(16);
  expect(cells.map(cellName).slice(0, 4)).toEqual(["linear/wikigold/100", "linear/wikigold/10/1", "linear/wikigold/10/2", "linear/wikigold/10/3"]);
  for (const cell of cells) expect(readCell(cellName(cell))).toEqual(cell);
});

test.each(["linear/wikigold", "linear/wikigold/100/1", "linear/wikigold/10", "linear/wikigold/10/9", "linear/wikigold/20", "cnn/wikigold/100", "linear/wikigold/10/1/1"])("%s is no cell", (name) => {
  expect(() => readCell(name)).toThrow("there is no cell");
});

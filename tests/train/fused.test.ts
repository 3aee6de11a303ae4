import { expect, it } from "vitest";
import { startTraining, type TrainBuild } from "../../src/train/machine.ts";
import { KernelArena, moduleBytes, trainBuilds } from "../kernels/instance.ts";
import { floats } from "../kernels/f32-rows.ts";
import { Random } from "../kernels/int8-layout.ts";

/** 6 rows by 8 columns over a depth of 64. */
function productOf(build: TrainBuild): Float32Array {
  const arena = new KernelArena(build);
  const random = new Random(3);
  const [a, b, out] = [arena.input(floats(random, 6 * 64, 1)), arena.input(floats(random, 64 * 8, 1)), arena.output(6 * 8 * 4)];
  arena.kernel("product")(a, 6, 64 * 4, 4, 64, b, 64 * 32, 32, 8, 0, out, 8, 0);
  return arena.float32(out, 6 * 8).slice();
}

it.each(trainBuilds)("%s is named by the bits that it gives on this processor", async (build) => {
  const { machine } = await startTraining(() => null, { build });
  const isAsFixed = productOf(build).every((value, i) => Object.is(value, productOf("train-fixed")[i]));
  expect(machine.arithmetic).toBe(isAsFixed && build === "train-relaxed" ? "train-relaxed-unfused" : build);
});

it("a relaxed module that does not fuse has a name of its own", async () => {
  const { machine } = await startTraining(() => null, { build: "train-relaxed", wasm: { "train-relaxed": moduleBytes("train-fixed") } });
  expect(machine.arithmetic).toBe("train-relaxed-unfused");
});

import { expectTypeOf, it } from "vitest";
import type { Classification, Entity, EntityGroup } from "../../src/index.ts";
import { pipeline, type FeatureExtractionPipeline, type Tensor, type TextClassificationPipeline, type TokenClassificationPipeline } from "../../src/transformers/index.ts";

/** Never run: the types are what is checked, by `npm run check`. */
export async function calls(ner: TokenClassificationPipeline, mood: TextClassificationPipeline, features: FeatureExtractionPipeline): Promise<void> {
  expectTypeOf(await ner("a")).toEqualTypeOf<Entity[]>();
  expectTypeOf(await ner(["a"])).toEqualTypeOf<Entity[][]>();
  expectTypeOf(await ner("a", { aggregation_strategy: "none" })).toEqualTypeOf<Entity[]>();
  expectTypeOf(await ner("a", { aggregation_strategy: "simple" })).toEqualTypeOf<EntityGroup[]>();
  expectTypeOf(await ner(["a"], { aggregation_strategy: "max" })).toEqualTypeOf<EntityGroup[][]>();
  const strategy = "first" as "none" | "first";
  expectTypeOf(await ner("a", { aggregation_strategy: strategy })).toEqualTypeOf<Entity[] | EntityGroup[]>();

  expectTypeOf(await mood("a")).toEqualTypeOf<Classification[]>();
  expectTypeOf(await mood("a", { top_k: null })).toEqualTypeOf<Classification[]>();
  expectTypeOf(await mood(["a"])).toEqualTypeOf<Classification[]>();
  expectTypeOf(await mood(["a"], { top_k: 1 })).toEqualTypeOf<Classification[]>();
  expectTypeOf(await mood(["a"], { top_k: 2 })).toEqualTypeOf<Classification[][]>();
  expectTypeOf(await mood(["a"], { topk: null })).toEqualTypeOf<Classification[][]>();
  expectTypeOf(await mood(["a"], { top_k: 3 as number })).toEqualTypeOf<Classification[] | Classification[][]>();

  expectTypeOf(await features("a", { pooling: "mean" })).toEqualTypeOf<Tensor<Float32Array>>();
  expectTypeOf(await features(["a"], { pooling: "mean", quantize: true })).toEqualTypeOf<Tensor<Int8Array | Uint8Array>>();

  expectTypeOf(await features("a", { pooling: "mean", quantize: false })).toEqualTypeOf<Tensor<Float32Array>>();
  expectTypeOf(await features("a", { pooling: "mean", quantize: false as boolean })).toEqualTypeOf<Tensor>();

  expectTypeOf(await pipeline("ner", "folder")).toEqualTypeOf<TokenClassificationPipeline>();
  expectTypeOf(await pipeline("sentiment-analysis", "folder")).toEqualTypeOf<TextClassificationPipeline>();
  expectTypeOf(await pipeline("feature-extraction", "folder")).toEqualTypeOf<FeatureExtractionPipeline>();
  // @ts-expect-error a device that is not there
  await pipeline("ner", "folder", { device: "webgpu" });
  // @ts-expect-error a task that is not served
  await pipeline("fill-mask", "folder");
}

it("gives every task and option its own type", () => {
  expectTypeOf(calls).toBeFunction();
});

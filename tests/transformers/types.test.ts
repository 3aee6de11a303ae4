import { expectTypeOf, it } from "vitest";
import type { Classification, Entity, EntityGroup } from "../../src/index.ts";
import { pipeline, type FeatureExtractionPipeline, type Tensor, type TextClassificationPipeline, type TokenClassificationPipeline, type TokenEntity, type TokenEntityGroup } from "../../src/transformers/index.ts";

/** Never run: the types are what is checked, by `npm run check`. */
export async function calls(ner: TokenClassificationPipeline, mood: TextClassificationPipeline, features: FeatureExtractionPipeline): Promise<void> {
  expectTypeOf(await ner("a")).toEqualTypeOf<TokenEntity[]>();
  expectTypeOf(await ner(["a"])).toEqualTypeOf<TokenEntity[][]>();
  expectTypeOf(await ner("a", { aggregation_strategy: "none" })).toEqualTypeOf<TokenEntity[]>();
  expectTypeOf(await ner("a", { aggregation_strategy: "simple" })).toEqualTypeOf<TokenEntityGroup[]>();
  expectTypeOf(await ner(["a"], { aggregation_strategy: "max" })).toEqualTypeOf<TokenEntityGroup[][]>();
  const strategy = "first" as "none" | "first";
  expectTypeOf(await ner("a", { aggregation_strategy: strategy })).toEqualTypeOf<TokenEntity[] | TokenEntityGroup[]>();

  for (const span of await ner("a", { aggregation_strategy: strategy })) {
    if (span.entity_group !== undefined) expectTypeOf(span).toEqualTypeOf<TokenEntityGroup>();
    else expectTypeOf(span).toEqualTypeOf<TokenEntity>();
    if (span.entity !== undefined) expectTypeOf(span.index).toEqualTypeOf<number>();
    else expectTypeOf(span.entity_group).toEqualTypeOf<string>();
  }
  const [tokens, groups]: [Entity[], EntityGroup[]] = [await ner("a"), await ner("a", { aggregation_strategy: "simple" })];
  expectTypeOf([tokens, groups]).not.toBeAny();

  // Options that may be undefined: for callers with exactOptionalPropertyTypes, as this file is compiled.
  const signal = undefined as AbortSignal | undefined;
  const maybe = undefined;
  await ner("a", { signal, stride: maybe, overflow: maybe, offsets: maybe, ignore_labels: maybe });
  expectTypeOf(await ner("a", { aggregation_strategy: maybe })).toEqualTypeOf<TokenEntity[]>();
  expectTypeOf(await mood(["a"], { signal, top_k: maybe })).toEqualTypeOf<Classification[]>();
  expectTypeOf(await mood(["a"], { top_k: maybe, topk: 2 })).toEqualTypeOf<Classification[][]>();
  expectTypeOf(await features("a", { signal, pooling: maybe, normalize: maybe, quantize: maybe, precision: maybe, overflow: maybe })).toEqualTypeOf<Tensor<Float32Array>>();
  await pipeline("ner", { encoder: "folder", adapter: maybe }, { adapter: maybe, labels: maybe, signal, load: maybe, progress_callback: maybe, device: maybe, dtype: maybe, quantized: maybe, local_files_only: maybe });

  const rows: number[][] = (await features(["a"], { pooling: "mean" })).tolist();
  expectTypeOf(rows).not.toBeAny();
  for (const row of await features(["a"], { pooling: "mean" })) expectTypeOf(row).toBeAny();
  expectTypeOf((await features("a"))[0]![0]!.item()).toEqualTypeOf<number>();

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

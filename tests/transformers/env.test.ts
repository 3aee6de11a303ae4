import { expect, it } from "vitest";
import { env, pipeline } from "../../src/transformers/index.ts";
import { ENCODER } from "./golden.ts";

const refusal = (words: RegExp): unknown => expect.objectContaining({ code: "argument-invalid", message: expect.stringMatching(words) as string });

const cyclic: { self?: object } = {};
cyclic.self = cyclic;

it("takes what is so anyway, and holds no state", async () => {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "./";
  env.useBrowserCache = false;
  env.cacheDir = null;
  env.logLevel = 30;
  env.backends.onnx.wasm.numThreads = 1;
  env.backends.onnx.wasm.proxy = false;
  expect([env.localModelPath, env.logLevel, env.backends.onnx.wasm.numThreads]).toEqual(["", 50, 1]);
  await (await pipeline("feature-extraction", ENCODER)).dispose();
});

it.each<[string, unknown, RegExp]>([
  ["allowRemoteModels", true, /^env\.allowRemoteModels is true, but models are not downloaded by name.*give false/],
  ["allowLocalModels", false, /^env\.allowLocalModels is false, but models are not downloaded by name/],
  ["localModelPath", "/models/", /^env\.localModelPath is "\/models\/", but pipeline\(\) is given the whole path or URL/],
  ["remoteHost", "https://hub.example", /^env\.remoteHost is .*leave it out/],
  ["useBrowserCache", true, /^env\.useBrowserCache is true, but nothing is cached.*rootstock\/browser/],
  ["cacheDir", "cache", /^env\.cacheDir is "cache", but nothing is cached.*give null/],
  ["fetch", () => null, /^env\.fetch is a function, but .*open\(file\)/],
  ["cacheDir", 1n, /^env\.cacheDir is a bigint, but nothing is cached/],
  ["customCache", cyclic, /^env\.customCache is an object, but nothing is cached/],
  ["backends", {}, /^env\.backends is an object, but settings are given one by one/],
  ["allowRemoteModel", false, /^env has no field allowRemoteModel; it has allowRemoteModels/],
  ["toString", 1, /^env has no field toString/],
])("refuses %s = %s with the reason", (name, value, words) => {
  expect(() => Reflect.set(env, name, value)).toThrow(refusal(words));
});

it("refuses settings of ONNX Runtime that would be passed over", () => {
  const { wasm, webgpu } = env.backends.onnx;
  expect(() => Reflect.set(webgpu, "powerPreference", "high-performance")).toThrow(refusal(/^env\.backends\.onnx\.webgpu\.powerPreference is "high-performance", but all is computed on the CPU; leave it out/));
  expect(() => Reflect.set(wasm, "numThreads", 4)).toThrow(refusal(/^env\.backends\.onnx\.wasm\.numThreads is 4, but there is no ONNX Runtime.*rootstock\/pool/));
  expect(() => Reflect.set(wasm, "wasmPaths", "/wasm/")).toThrow(refusal(/has no field wasmPaths/));
});

it("refuses at every level what would be kept, and keeps nothing", () => {
  const { backends } = env;
  const { onnx } = backends;
  const { wasm } = onnx;
  const before = JSON.stringify(env);
  expect(() => Object.assign(backends, { onnx: {} })).toThrow(refusal(/^env\.backends\.onnx is an object, but settings are given one by one, as in env\.backends\.onnx\.wasm\.numThreads = 1/));
  expect(() => Object.assign(backends, { webgpu: {} })).toThrow(refusal(/^env\.backends has no field webgpu; it has onnx\./));
  expect(() => Object.assign(onnx, { wasm: { numThreads: 4 } })).toThrow(refusal(/^env\.backends\.onnx\.wasm is an object, but settings are given one by one/));
  expect(() => Object.assign(onnx, { logLevel: "verbose" })).toThrow(refusal(/^env\.backends\.onnx has no field logLevel; it has wasm, webgpu\./));
  for (const level of [env, backends, onnx, wasm]) {
    const [name] = Object.keys(level);
    expect(() => Reflect.defineProperty(level, name!, { value: 1 })).toThrow(refusal(/cannot be defined anew or deleted/));
    expect(() => Reflect.deleteProperty(level, name!)).toThrow(refusal(/cannot be defined anew or deleted/));
  }
  expect(JSON.stringify(env)).toBe(before);
});

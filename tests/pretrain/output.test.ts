import { beforeAll, describe, expect, it } from "vitest";
import { toFloat16, toFloat32 } from "../../src/format/floats.ts";
import { place } from "../../src/format/json.ts";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";
import type { LayerLinear } from "../../src/format/types.ts";
import { fillBackbone, readStartEncoder, type StartEncoder } from "../../src/pretrain/encoder-source.ts";
import { adapterFiles, encoderFiles, headFiles, type Files } from "../../src/pretrain/output.ts";
import { pretrain } from "../../src/pretrain/pretrain.ts";
import { readSettings } from "../../src/pretrain/settings.ts";
import { Trainer } from "../../src/pretrain/trainer.ts";
import { beginPass, forward } from "../../src/train/pass.ts";
import { loadEncoder } from "../../src/index.ts";
import { FAMILIES, tinyFolder } from "../convert/tiny-folder.ts";
import { loadFloat32Encoder } from "../float32/encoder.ts";
import { relativeGap } from "../kernels/gradients.ts";
import { DATA, OPTIONS } from "./tiny-run.ts";

const IDS = Int32Array.of(2, 7, 19, 5, 30, 11, 3);
const SETTINGS = readSettings({ steps: 4, warmup: 0, adapter: { layers: 2, rank: 3, targets: ["query", "output"] }, maxLength: 16, learningRates: { backbone: 1e-2, head: 1e-2, adapters: 5e-2 }, probe: { every: null } }, place("settings"));
const BATCH = {
  ner: [{ ids: IDS, read: Int32Array.of(1, 3), labels: Int32Array.of(1, 2), allowed: null }],
  tc: [{ a: IDS.slice(0, 4), b: IDS.slice(2) }, { a: IDS.slice(1, 5), b: IDS.slice(3) }],
};

/** What the trainer's own forward pass gives under a family's group: [tokens][hidden]. */
function trainedState({ machine, plan }: Trainer, family: "ner" | "tc" | null): Float32Array {
  const pass = beginPass(machine, plan.model, [{ ids: IDS }], family === null ? null : plan.groups[family], null);
  return machine.memory.floats(forward(machine, pass), IDS.length * plan.model.config.hidden).slice();
}

describe.each(FAMILIES.filter((family) => family !== "albert"))("what is written of %s", (family) => {
  let start: StartEncoder;
  let trainer: Trainer;
  let folder: Files;

  beforeAll(async () => {
    start = await readStartEncoder(tinyFolder(family), undefined);
    trainer = await Trainer.start({ config: start.config, settings: SETTINGS, classes: 3 }, (m, parameters) => fillBackbone(m, parameters, start));
    for (let i = 0; i < 3; i++) await trainer.update(BATCH);
    folder = encoderFiles(trainer, start, "F32");
  });

  it("is an encoder that loads with the trained features, and adapters without a head that change them", async () => {
    const encoder = await loadFloat32Encoder(folder);
    for (const name of ["ner", "tc"] as const) await encoder.addAdapter(name, await adapterFiles(trainer, start.config, SETTINGS, name, folder));
    const bare = await encoder.forward(IDS, null);
    expect(relativeGap(bare, trainedState(trainer, null))).toBeLessThan(1e-5);
    for (const name of ["ner", "tc"] as const) {
      const want = trainedState(trainer, name);
      expect(relativeGap(bare, want)).toBeGreaterThan(1e-3);
      expect(relativeGap(await encoder.forward(IDS, name), want), name).toBeLessThan(1e-5);
      expect(relativeGap((await encoder.hiddenStates(IDS, name)).at(-1)!, want), name).toBeLessThan(1e-5);
      const [vector, plain] = [(await encoder.embed(["w3 w9 w14"], { task: name }))[0]!, (await encoder.embed(["w3 w9 w14"]))[0]!];
      expect(vector).not.toEqual(plain);
      await expect(encoder.run("w3", [name])).rejects.toMatchObject({ code: "argument-invalid", message: expect.stringMatching(/no head/) as unknown });
      await expect(encoder.logits(IDS, name)).rejects.toMatchObject({ code: "argument-invalid" });
    }
    expect(encoder.info.tasks.map(({ name, kind, labels, firstLayer }) => ({ name, kind, labels, firstLayer }))).toEqual(
      ["ner", "tc"].map((name) => ({ name, kind: null, labels: [], firstLayer: start.config.layers - 2 })),
    );
  });

  it("loads as it is served, and its adapters refuse another encoder", async () => {
    const served = await loadEncoder(folder);
    const adapter = await adapterFiles(trainer, start.config, SETTINGS, "ner", folder);
    await served.addAdapter("ner", adapter);
    expect((await served.embed(["w3 w9"], { task: "ner" }))[0]).toHaveLength(start.config.hidden);
    const other = await loadEncoder(tinyFolder(family));
    await expect(other.addAdapter("ner", adapter)).rejects.toMatchObject({ code: "adapter-mismatch" });
  });

  it("keeps the pooler, the configuration and the tokenizer that it came with", () => {
    const read = (files: Files): Map<string, { shape: readonly number[]; dtype: string }> =>
      new Map([...parseSafetensorsHeader(files.get("model.safetensors")!, files.get("model.safetensors")!.length).tensors].map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
    expect(new Map([...read(folder)].toSorted())).toEqual(new Map([...read(tinyFolder(family))].toSorted()));
    expect(new Set([...read(encoderFiles(trainer, start, "F16")).values()].map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
    expect(folder.get("tokenizer.json")).toEqual(start.files.get("tokenizer.json"));
    const config = (files: Files): Record<string, unknown> => {
      const fields = JSON.parse(new TextDecoder().decode(files.get("config.json"))) as Record<string, unknown>;
      return { ...fields, architectures: null, dtype: null, torch_dtype: null };
    };
    expect(config(folder)).toEqual(config(start.files));
    const { metadata } = parseSafetensorsHeader(folder.get("model.safetensors")!, folder.get("model.safetensors")!.length);
    expect(metadata.get("format")).toBe("pt");
  });
});

it("ALBERT, whose layers are one, trains without groups, and with them is refused", async () => {
  const encoder = tinyFolder("albert");
  const { encoder: files } = await pretrain(encoder, DATA, { ...OPTIONS, regime: "naive", steps: 2 });
  await loadEncoder(files);
  await expect(pretrain(encoder, DATA, { ...OPTIONS, steps: 2 })).rejects.toMatchObject({ code: "adapter-unsupported" });
});

it("a frozen encoder is written as it came, and one group for both is one adapter", async () => {
  const encoder = tinyFolder("bert");
  const frozen = await pretrain(encoder, DATA, { ...OPTIONS, regime: "groups-only", steps: 3 });
  for (const name of ["model.safetensors", "config.json", "tokenizer.json"]) expect(frozen.encoder.get(name), name).toEqual(encoder.get(name));
  // So its adapters fit the encoder that there was.
  await (await loadEncoder(encoder)).addAdapter("ner", frozen.adapters.get("ner")!);
  expect([...frozen.adapters.keys()]).toEqual(["ner", "tc"]);
  expect([...(await pretrain(encoder, DATA, { ...OPTIONS, regime: "shared-group", steps: 1 })).adapters.keys()]).toEqual(["shared"]);
  const bare = await pretrain(encoder, DATA, { ...OPTIONS, regime: "tc-only", steps: 1, writesHead: true });
  expect([bare.adapters.size, bare.head]).toEqual([0, null]);
});

it("the head has its classes' names beside it", async () => {
  const start = await readStartEncoder(tinyFolder("bert"), undefined);
  const trainer = await Trainer.start({ config: start.config, settings: SETTINGS, classes: 3 }, (m, parameters) => fillBackbone(m, parameters, start));
  const files = headFiles(trainer, ["O", "B-x", "I-x"])!;
  const bytes = files.get("head.safetensors")!;
  expect([...parseSafetensorsHeader(bytes, bytes.length).tensors].map(([name, { shape }]) => [name, shape])).toEqual([["classifier.weight", [3, start.config.hidden]], ["classifier.bias", [3]]]);
});

describe("F16", () => {
  it("holds every half as it is, and rounds to the nearest, ties to even", () => {
    const halves = new Uint8Array(new Uint16Array(Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) => (bits & 0x7c00) !== 0x7c00)).buffer);
    expect(toFloat16(toFloat32(halves, "F16"), "x")).toEqual(halves);
    const round = (...values: number[]): number[] => [...toFloat32(toFloat16(Float32Array.from(values), "x"), "F16")];
    const [step, least] = [2 ** -10, 2 ** -24];
    expect(round(1 + 0.5 * step, 1 + 1.5 * step, 1 + 0.51 * step, -(2 - 0.25 * step))).toEqual([1, 1 + 2 * step, 1 + step, -2]);
    expect(round(0.5 * least, 1.5 * least, 0.51 * least, 1023.5 * least, 65_519)).toEqual([0, 2 * least, least, 1024 * least, 65_504]);
  });

  it.each([65_520, Infinity, NaN, -1e9])("does not hold %d: tensor-value", (value) => {
    expect(() => toFloat16(Float32Array.of(value), "x")).toThrow(expect.objectContaining({ code: "tensor-value" }));
  });
});

/** A target alone whose name is the ending of another's: only whole paths tell them apart. */
it("adapters on the feed-forward's output alone fit no other layer", async () => {
  const targets: LayerLinear[] = ["output"];
  const start = await readStartEncoder(tinyFolder("bert"), undefined);
  const settings = { ...SETTINGS, adapter: { ...SETTINGS.adapter, targets } };
  const trainer = await Trainer.start({ config: start.config, settings, classes: 3 }, (m, parameters) => fillBackbone(m, parameters, start));
  const folder = encoderFiles(trainer, start, "F32");
  await (await loadEncoder(folder)).addAdapter("tc", await adapterFiles(trainer, start.config, settings, "tc", folder));
});

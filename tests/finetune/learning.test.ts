import { beforeAll, describe, expect, it } from "vitest";
import { trainAdapter, type TrainedAdapter, type TrainingOptions, type TrainingProgress } from "../../src/finetune/index.ts";
import type { Classification, Encoder, EntityGroup } from "../../src/index.ts";
import { initialParameters, labelledRows, MemoryStore, multiRows, parametersIn, spanRows, taggedRows, tinyEncoder, TOY } from "./fixture.ts";

let encoder: Encoder;
beforeAll(async () => {
  encoder = await tinyEncoder();
});

const weights = (trained: TrainedAdapter): Buffer => Buffer.from(trained.files.get("adapter_model.safetensors")!);

describe("learns toys to a perfect dev score", () => {
  const methods: [string, TrainingOptions][] = [
    ["lora", {}],
    ["rsLoRA", { rsLora: true, rank: 4 }],
    ["dora", { method: "dora" }],
    ["ia3", { method: "ia3", learningRate: 5e-2, epochs: 25, layers: 4 }],
    ["all linear layers", { targets: "all-linear" }],
    ["layers named", { layers: [3, 1] }],
    ["with dropout", { dropout: 0.1, loraDropout: 0.1, epochs: 25 }],
    ["a head alone", { method: "head", learningRate: 5e-2, epochs: 40 }],
  ];

  it.each(methods)("named entities, %s", async (_, options) => {
    const { history } = await trainAdapter(encoder, { name: "people", train: taggedRows(72), dev: taggedRows(20) }, { ...TOY, ...options });
    expect(history.best!.metric).toBe(1);
    expect(history.kind).toBe("ner");
    expect(history.labels).toEqual(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]);
    expect(history.perEntity!.map(({ label, f1 }) => [label, f1])).toEqual([["LOC", 1], ["PER", 1]]);
    expect(history.mistakes).toEqual([]);
    expect(history.steps.at(-1)!.loss).toBeLessThan(history.steps[0]!.loss / 3);
  });

  it.each(methods)("classes, %s", async (_, options) => {
    const { history } = await trainAdapter(encoder, { name: "mood", train: labelledRows(72), dev: labelledRows(30) }, { ...TOY, ...options });
    expect(history.best!.metric).toBe(1);
    expect(history.labels).toEqual(["blame", "fact", "praise"]);
    expect(history.confusion!.counts).toEqual([[10, 0, 0], [0, 10, 0], [0, 0, 10]]);
  });

  it("several labels a text", async () => {
    const trained = await trainAdapter(encoder, { name: "many", train: multiRows(72), dev: multiRows(20) }, TOY);
    expect(trained.history.best!.metric).toBe(1);
    await encoder.addAdapter("many", trained, { replace: true });
    const [{ many }] = (await encoder.runBatch([{ text: "ada good met old oslo", tasks: ["many"] }], { topK: null })) as [Record<string, Classification[]>];
    expect(many!.map(({ label, score }) => [label, score > 0.5])).toEqual(expect.arrayContaining([["praise", true], ["age", true]]));
  });

  it("spans of a text as well as tokens and tags, and serves both alike", async () => {
    const trained = await trainAdapter(encoder, { name: "people", train: spanRows(72), dev: spanRows(20) }, TOY);
    expect(trained.history.best!.metric).toBe(1);
    await encoder.addAdapter("people", trained, { replace: true });
    const { people } = (await encoder.run("ben dan works in lima .", ["people"])) as Record<string, EntityGroup[]>;
    expect(people!.map(({ entity_group, word }) => [entity_group, word])).toEqual([["PER", "ben dan"], ["LOC", "lima"]]);
  });

  it.each(["distilbert", "roberta", "electra", "bert-relu-wide"])("in an encoder of another family: %s", async (family) => {
    const other = await tinyEncoder(family);
    const rows = labelledRows(72);
    const trained = await trainAdapter(other, { name: "mood", train: rows, dev: rows.slice(0, 30) }, { ...TOY, targets: ["query", "value", "output"] });
    expect(trained.history.best!.metric).toBe(1);
    await other.addAdapter("mood", trained);
    for (const { text, label } of rows.slice(0, 6)) expect(((await other.run(text, ["mood"])).mood![0] as Classification).label).toBe(label);
  });

  it("ALBERT, whose layers are one, gets a head alone", async () => {
    const albert = await tinyEncoder("albert");
    const rows = labelledRows(36);
    await expect(trainAdapter(albert, { name: "mood", train: rows }, TOY)).rejects.toMatchObject({ code: "adapter-unsupported" });
    const trained = await trainAdapter(albert, { name: "mood", train: rows, dev: rows }, { ...TOY, layers: undefined, method: "head", epochs: 2 });
    await albert.addAdapter("mood", trained);
    expect(albert.info.tasks[0]!.firstLayer).toBe(albert.info.layers);
  });
});

describe("what a run says of itself", () => {
  it("the steps, evaluations and settings that make it again", async () => {
    const seen: TrainingProgress[] = [];
    const { history } = await trainAdapter(encoder, { name: "mood", train: labelledRows(20), dev: labelledRows(6) }, { ...TOY, epochs: 3, onProgress: (progress) => seen.push(progress) });
    expect(history.steps.map(({ step, epoch }) => [step, epoch])).toEqual([[1, 1], [2, 1], [3, 1], [4, 2], [5, 2], [6, 2], [7, 3], [8, 3], [9, 3]]);
    expect(history.evaluations.map(({ step, epoch }) => [step, epoch])).toEqual([[3, 1], [6, 2], [9, 3]]);
    expect(history.settings).toMatchObject({ seed: 3, epochs: 3, batchSize: 8, encoder: encoder.info.fingerprint, train: { rows: 20 }, dev: { rows: 6 } });
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    expect(seen.at(-1)).toMatchObject({ phase: "dev", step: 9, steps: 9, epoch: 3, epochs: 3, secondsLeft: 0 });
    expect(new Set(seen.map(({ phase }) => phase))).toEqual(new Set(["trunk", "train", "dev"]));
    for (const { tokensPerSecond, secondsLeft } of seen) expect(Math.min(tokensPerSecond, secondsLeft)).toBeGreaterThanOrEqual(0);
  });

  it("evaluates every so many updates, and at the end", async () => {
    const { history } = await trainAdapter(encoder, { name: "mood", train: labelledRows(20), dev: labelledRows(6) }, { ...TOY, epochs: 2, evaluateEvery: 4 });
    expect(history.evaluations.map(({ step }) => step)).toEqual([4, 6]);
  });

  it("mistakes in the form of the rows, worst first", async () => {
    const wrong = { tokens: ["ada", "lives", "in", "oslo"], tags: ["O", "O", "O", "B-PER"] };
    const trained = await trainAdapter(encoder, { name: "people", train: taggedRows(72), dev: [...taggedRows(20), wrong] }, TOY);
    expect(trained.history.best!.metric).toBeLessThan(1);
    expect(trained.mistakes).toEqual([expect.objectContaining({
      text: "ada lives in oslo", expected: [{ start: 13, end: 17, label: "PER" }],
      predicted: [{ start: 0, end: 3, label: "PER" }, { start: 13, end: 17, label: "LOC" }],
    })]);
  });

  it("without dev: the last weights, nothing measured", async () => {
    const { history, mistakes } = await trainAdapter(encoder, { name: "mood", train: labelledRows(12) }, { ...TOY, epochs: 1 });
    expect([history.best, history.evaluations, mistakes]).toEqual([null, [], []]);
  });
});

describe("the same rows, options and seed", () => {
  const run = (options: TrainingOptions = {}) => trainAdapter(encoder, { name: "mood", train: labelledRows(40), dev: labelledRows(12) }, { ...TOY, epochs: 3, dropout: 0.1, loraDropout: 0.1, ...options });

  it("give the same bits, whatever is served meanwhile; another seed gives others", async () => {
    const first = await run();
    let isOver = false;
    const serving = (async () => {
      let served = 0;
      while (!isOver) {
        await encoder.embed(["ada met ben in rome", "good"]);
        served++;
      }
      return served;
    })();
    const second = await run();
    isOver = true;
    expect(await serving).toBeGreaterThan(3);
    expect(weights(second)).toEqual(weights(first));
    expect({ ...second.history, seconds: 0 }).toEqual({ ...first.history, seconds: 0 });
    expect(weights(await run({ seed: 4 }))).not.toEqual(weights(first));
  });

  it("rows may come from any iterable, and asynchronously", async () => {
    async function* slowly() {
      for (const row of labelledRows(40)) yield await Promise.resolve(row);
    }
    const trained = await trainAdapter(encoder, { name: "mood", train: slowly(), dev: new Set(labelledRows(12)).values() }, { ...TOY, epochs: 3, dropout: 0.1, loraDropout: 0.1 });
    expect(weights(trained)).toEqual(weights(await run()));
  });
});

describe("options", () => {
  it("patience stops, and the best weights are kept", async () => {
    const data = { name: "mood", train: labelledRows(72), dev: labelledRows(30) };
    const { history } = await trainAdapter(encoder, data, { ...TOY, epochs: 60, patience: 3 });
    expect(history.stopped).toBe("patience");
    expect(history.steps.length).toBeLessThan(60 * 9);
    const first = history.evaluations.find(({ metric }) => metric === history.best!.metric)!;
    expect(history.evaluations.at(-1)!.step).toBe(first.step + 3 * 9);
    expect(history.warnings).toEqual([]);
    const blind = await trainAdapter(encoder, { ...data, dev: undefined }, { ...TOY, epochs: 1, patience: 3 });
    expect(blind.history.warnings).toEqual(["patience: there is no dev, so it ends nothing."]);
  });

  it("the best weights are those of the best evaluation, not the last", async () => {
    // Dev is the contrary of train: the metric falls as it learns.
    const turned = labelledRows(30).map(({ text, label }) => ({ text, label: label === "fact" ? "blame" : "fact" }));
    const data = { name: "mood", train: labelledRows(72), dev: turned };
    const whole = await trainAdapter(encoder, data, { ...TOY, schedule: "constant", warmup: 0 });
    const { best, evaluations } = whole.history;
    expect(best!.step).toBeLessThan(evaluations.at(-1)!.step);
    const { epoch } = evaluations.find(({ step }) => step === best!.step)!;
    const short = await trainAdapter(encoder, { ...data, dev: undefined }, { ...TOY, schedule: "constant", warmup: 0, epochs: epoch });
    expect(weights(whole)).toEqual(weights(short));
  });

  it("of equal evaluations the best is the one with the least loss, and patience counts from the first", async () => {
    // One dev row has a wrong label: the metric stays, and the loss falls with the others' and then rises with its.
    const dev = labelledRows(30).map((row, i) => (i === 4 ? { ...row, label: "fact" } : row));
    const data = { name: "mood", train: labelledRows(72), dev };
    const options: TrainingOptions = { ...TOY, batchSize: 24, learningRate: 3e-3, schedule: "constant", warmup: 0 };
    const whole = await trainAdapter(encoder, data, { ...options, epochs: 20, patience: 6 });
    const { best, evaluations, stopped, mistakes } = whole.history;
    const equals = evaluations.filter(({ metric }) => metric === Math.max(...evaluations.map((look) => look.metric)));
    const surest = equals.toSorted((a, b) => a.loss - b.loss)[0]!;
    expect(best).toEqual({ step: surest.step, metric: surest.metric });
    expect([equals[0] === surest, equals.at(-1) === surest, stopped]).toEqual([false, false, "patience"]);
    expect(evaluations.at(-1)!.step).toBe(equals[0]!.step + 6 * 3);
    const short = await trainAdapter(encoder, data, { ...options, epochs: surest.epoch });
    expect(weights(whole)).toEqual(weights(short));
    expect(mistakes).toEqual(short.history.mistakes);
  });

  it("class weights help the rare class", async () => {
    const rows = labelledRows(120).filter(({ label }, i) => label !== "blame" || i % 30 === 1);
    const rare = labelledRows(60).filter(({ label }) => label === "blame");
    const lossOf = async (options: TrainingOptions) => (await trainAdapter(encoder, { name: "mood", train: rows, dev: rare }, { ...TOY, epochs: 2, ...options })).history;
    const plain = await lossOf({});
    for (const classWeights of ["balanced", { blame: 10 }] as const) expect((await lossOf({ classWeights })).best!.metric).toBeGreaterThanOrEqual(plain.best!.metric);
    expect((await lossOf({ classWeights: "balanced" })).steps[0]!.loss).not.toBe(plain.steps[0]!.loss);
  });

  it.each(["linear", "cosine", "constant"] as const)("the %s schedule, after a warm-up", async (schedule) => {
    const { history } = await trainAdapter(encoder, { name: "mood", train: labelledRows(40) }, { ...TOY, epochs: 2, schedule, warmup: 0.2 });
    const rates = history.steps.map(({ learningRate }) => learningRate);
    expect(rates.slice(0, 3)).toEqual([0, 5e-3, 1e-2]);
    expect(rates.at(-1)! < 5e-3).toBe(schedule !== "constant");
  });

  it("labels are smoothed of every kind of data: the loss is (1 − s) times the plain one and s times that of even targets", async () => {
    for (const rows of [multiRows(24), labelledRows(24), taggedRows(24)]) {
      const first = async (labelSmoothing: number): Promise<number> => (await trainAdapter(encoder, { name: "task", train: rows }, { ...TOY, epochs: 1, labelSmoothing })).history.steps[0]!.loss;
      const [plain, some, more] = [await first(0), await first(0.2), await first(0.6)];
      expect(Math.abs(some - plain)).toBeGreaterThan(1e-5);
      expect((more - plain) / (some - plain)).toBeCloseTo(3, 1);
    }
  });

  it.each([
    ["adapter", { learningRate: 0, headLearningRate: 5e-2 }],
    ["head", { learningRate: 1e-2, headLearningRate: 0 }],
  ] as const)("a rate of 0 for the %s leaves it as it begins, and only the other part learns", async (still, rates) => {
    const store = new MemoryStore();
    const data = { name: "mood", train: labelledRows(40) };
    const options: TrainingOptions = { ...TOY, ...rates, epochs: 4, weightDecay: 0.1, labelSmoothing: 0.1, clip: null };
    const { history } = await trainAdapter(encoder, data, { ...options, checkpoint: store });
    expect(history.steps.at(-1)!.loss).toBeLessThan(history.steps[0]!.loss);
    const [initial, learnt] = [await initialParameters(encoder, data, options), parametersIn(store.blobs.at(-1)!)];
    const isSame = Array.from(initial, ([name, values]) => [name, values.every((value, i) => value === learnt.get(name)![i])]);
    expect(isSame).toEqual(Array.from(initial.keys(), (name) => [name, name.startsWith("task/classifier.") === (still === "head")]));
    expect(new Set(isSame.map(([, same]) => same))).toEqual(new Set([true, false]));
  });
});

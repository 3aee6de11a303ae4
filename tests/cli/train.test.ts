import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Evaluation } from "../../src/cli/evaluate.ts";
import { readTrainPlan } from "../../src/cli/train/plan.ts";
import type { Session } from "../../src/cli/session.ts";
import { loadEncoder, type Classification, type EntityGroup } from "../../src/index.ts";
import { trainingReport } from "../../src/report/training-report.ts";
import { program, type Outcome } from "./program.ts";
import { labelRow, labelsRow, rowsOf, spansRow, taggedRow, TrainFolder } from "./train-folder.ts";

const RECIPE = ["--epochs", "6", "--targets", "all-linear", "--learning-rate", "0.01", "--max-tokens", "12"];
const FILES = ["README.md", "adapter_config.json", "adapter_model.safetensors", "config.json", "history.json", "report.html"];
const FORMS = { label: labelRow, labels: labelsRow, tags: taggedRow, spans: spansRow } as const;

let folder: TrainFolder;
/** What was said when an adapter was trained on rows of each form. */
const trained = new Map<string, Outcome>();

beforeAll(async () => {
  folder = new TrainFolder();
  for (const [form, make] of Object.entries(FORMS)) {
    folder.rows(`${form}.jsonl`, rowsOf<unknown>(200, make));
    folder.rows(`${form}-dev.jsonl`, rowsOf<unknown>(60, make, 500));
    trained.set(form, await folder.train(`${form}.jsonl`, form, "--dev", folder.file(`${form}-dev.jsonl`), "--json", ...RECIPE));
  }
});

afterAll(() => folder.remove());

const scores = (text: string): Evaluation => JSON.parse(text) as Evaluation;

describe("rootstock train", () => {
  it.each([["label", "accuracy"], ["labels", "micro_f1"], ["tags", "span_f1"], ["spans", "span_f1"]] as const)("trains on rows of %s; eval gives the dev metric of its report", async (form, metric) => {
    const dev = folder.file(`${form}-dev.jsonl`);
    const { code, stdout, stderr } = trained.get(form)!;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(folder.file(form)).sort()).toEqual(FILES);
    expect(existsSync(folder.file(`${form}.checkpoint`))).toBe(false);

    const history = folder.history(form);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(stdout).toMatch(/^\{[^\n]+\}\n$/);
    expect(result).toEqual({
      task: "tiny", out: folder.file(form), kind: history.kind, labels: history.labels.length, metric, best: history.best, steps: 78, epochs: 6, loss: history.steps.at(-1)!.loss,
      stopped: "end", tokens: history.tokens, seconds: history.seconds, warnings: history.warnings,
    }); // prettier-ignore
    expect(history.settings["files"]).toEqual({ train: `${form}.jsonl`, dev: `${form}-dev.jsonl` });
    expect(history.evaluations).toHaveLength(6);
    // Something has been learned, and not everything: equality below says something.
    expect(history.best!.metric).toBeGreaterThan(0.3);
    expect(history.best!.metric).toBeLessThan(1);
    expect(readFileSync(folder.file(`${form}/report.html`), "utf8")).toBe(trainingReport(history));

    const evaluated = await program(["eval", "--encoder", folder.file("encoder"), "--adapter", folder.file(form), "--data", dev, "--json"]);
    const { rows, truncated, report } = scores(evaluated.stdout);
    expect({ code: evaluated.code, rows, isCut: truncated > 0 }).toEqual({ code: 0, rows: 60, isCut: true });
    expect(report.kind === "classification" ? report.accuracy : report.f1).toBe(history.best!.metric);
    expect(report.perLabel).toEqual(history.perEntity);
  });

  it("writes a folder that the library runs", async () => {
    const encoder = await loadEncoder(folder.file("encoder"));
    await encoder.addAdapter("kind", folder.file("label"));
    await encoder.addAdapter("names", folder.file("tags"));
    const { kind, names } = await encoder.run("w1 w2 w20 w35 w36", ["kind", "names"]);
    expect(["low", "high"]).toContain((kind as Classification[])[0]!.label);
    for (const { entity_group } of names as EntityGroup[]) expect(["A", "B"]).toContain(entity_group);
    encoder.dispose();
  });

  it("prints the result, its curves and the worst labels for people", async () => {
    const { code, stdout } = await folder.train("tags.jsonl", "people", "--dev", folder.file("tags-dev.jsonl"), ...RECIPE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tiny: span F1 \d+\.\d\d % on dev, at update \d+ of 78 updates\n/);
    expect(stdout).toMatch(/^train loss, by step\n[^]*^dev span F1, by step\n/m);
    expect(stdout).toMatch(/^label +precision +recall +F1 +support\n[AB] /m);
    expect(stdout).toContain("warning: train: 64 rows are longer than 12 tokens and were cut (first: line 9).\n");
    expect(stdout).toContain(`${folder.file("people")}: the adapter, history.json, report.html\n`);
    for (const line of stdout.split("\n")) if (!line.startsWith("warning") && !line.includes("/")) expect([...line].length).toBeLessThanOrEqual(80);
  });

  it("holds a tenth of the rows out as dev, and says so", async () => {
    const first = await folder.train("label.jsonl", "held", "--epochs", "1");
    expect(first).toMatchObject({ code: 0, stderr: "no --dev: 20 of 200 rows are held out as dev, chosen by seed 1; --no-dev trains on all\n" });
    const { settings } = folder.history("held");
    expect(settings).toMatchObject({ train: { rows: 180 }, dev: { rows: 20 }, files: { train: "label.jsonl", dev: "20 rows of label.jsonl, chosen by seed 1" } });
    await folder.train("label.jsonl", "held-again", "--epochs", "1");
    expect(folder.result("held-again")).toEqual(folder.result("held"));
    await folder.train("label.jsonl", "held-otherwise", "--epochs", "1", "--seed", "2");
    expect(folder.history("held-otherwise").settings["dev"]).not.toEqual(settings["dev"]);
  });

  it("trains on all rows with --no-dev, and where there are too few", async () => {
    const all = await folder.train("label.jsonl", "all", "--epochs", "1", "--no-dev", "--json");
    expect(all).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(all.stdout)).toMatchObject({ best: null, metric: "accuracy" });
    expect(folder.history("all").settings).toMatchObject({ train: { rows: 200 }, dev: null, files: { dev: null } });
    folder.rows("few.jsonl", rowsOf(9, labelRow));
    const few = await folder.train("few.jsonl", "few", "--epochs", "1");
    expect(few.stderr).toMatch(/^no --dev: 9 rows are too few to hold some out, so nothing is measured; [^\n]*\n$/);
    expect(few.stdout).toMatch(/^tiny: 1 updates\n/);
  });

  it("reads standard input and gzip, to the same bits", async () => {
    const text = readFileSync(folder.file("label.jsonl"), "utf8");
    expect((await folder.train("label.jsonl", "plain", "--epochs", "1")).code).toBe(0);
    expect((await program(folder.args("-", "piped", "--epochs", "1"), text)).code).toBe(0);
    folder.write("label.jsonl.gz", gzipSync(`\n\n${text}`));
    expect((await folder.train("label.jsonl.gz", "zipped", "--epochs", "1")).code).toBe(0);
    const adapter = folder.files("plain")["adapter_model.safetensors"];
    for (const out of ["piped", "zipped"]) expect(folder.files(out)["adapter_model.safetensors"]).toBe(adapter);
    expect(folder.history("piped").settings["files"]).toEqual({ train: "standard input", dev: "20 rows of standard input, chosen by seed 1" });
  });
});

describe("what rootstock train refuses", () => {
  it.each<[string, string, string[], string]>([
    ["a line that is no JSON", '{"text": "w1", "label": "a"}\n\n{"text"\n', [], "json-invalid: DATA, line 3 is not a JSON object"],
    ["a row without a label, by its line", '\n{"text": "w1", "label": "a"}\n\n{"text": "w2"}\n', ["--no-dev"], "data-invalid: train: line 4: a row is { text, label }; this one has \"text\""],
    ["rows of two forms", '{"text": "w1", "label": "a"}\n{"tokens": ["w1"], "tags": ["O"]}\n', ["--no-dev"], "data-invalid: train: line 2: the rows before are { text, label }, this one is"],
    ["one label", '{"text": "w1", "label": "a"}\n{"text": "w2", "label": "a"}\n', ["--no-dev"], "data-invalid: train has one label only"],
    ["no rows", "\n", ["--no-dev"], "data-invalid: train has no rows"],
    ["a rate out of range", '{"text": "w1", "label": "a"}\n', ["--dropout", "1"], "argument-invalid: dropout is 1; give a number from 0 to 0.99"],
    ["a rate of LoRA's out of range", '{"text": "w1", "label": "a"}\n', ["--lora-dropout", "1"], "argument-invalid: loraDropout is 1; give a number from 0 to 0.99"],
    ["a layer that is not there", '{"text": "w1", "label": "a"}\n', ["--layers", "0,99"], "argument-invalid: a layer is 99"],
    ["a name that is none", "", ["--task", "No Name"], "task-invalid: a task name is"],
  ])("%s", async (name, content, more, words) => {
    const data = `bad ${name}.jsonl`;
    folder.write(data, content);
    const { code, stdout, stderr } = await folder.train(data, "bad", ...more);
    expect(stderr.replace(/^no --dev[^\n]*\n/, "").replace(folder.file(data), "DATA")).toMatch(/^rootstock: [^\n]+\n$/);
    expect(stderr.replace(folder.file(data), "DATA")).toContain(`rootstock: ${words}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(readdirSync(folder.path).filter((file) => file.startsWith("bad."))).toEqual([]);
    expect(existsSync(folder.file("bad"))).toBe(false);
  });

  it("data that are not there", async () => {
    expect(await folder.train("nowhere.jsonl", "bad")).toMatchObject({ code: 1, stderr: `rootstock: source-missing: ${folder.file("nowhere.jsonl")} is not there. Check the path.\n` });
  });

  it("a folder that is there, unless training wrote it and --restart is given", async () => {
    const again = (...more: string[]) => folder.train("label.jsonl", "there", "--epochs", "1", ...more);
    expect((await again()).code).toBe(0);
    const before = folder.files("there");
    expect((await again()).stderr).toMatch(/^rootstock: argument-invalid: .*there is there already\. Give another --out, or --restart to train anew and replace it\.\n$/);
    expect(folder.files("there")).toEqual(before);
    expect((await again("--restart", "--seed", "5")).code).toBe(0);
    expect(folder.history("there").settings["seed"]).toBe(5);
    writeFileSync(folder.file("there/thesis.txt"), "");
    expect((await again("--restart")).stderr).toMatch(/argument-invalid: .*there is there already, with "thesis\.txt", which no training wrote/);
    expect(existsSync(folder.file("there/thesis.txt"))).toBe(true);
    mkdirSync(folder.file("other.train-old"));
    writeFileSync(folder.file("other.train-old/thesis.txt"), "");
    expect((await folder.train("label.jsonl", "other", "--epochs", "1")).stderr).toMatch(/argument-invalid: .*other\.train-old is there, which training would remove/);
    for (const name of ["mine.old", "mine.partial"]) {
      mkdirSync(folder.file(name));
      writeFileSync(folder.file(`${name}/config.json`), "");
    }
    expect((await folder.train("label.jsonl", "mine", "--epochs", "1")).code).toBe(0);
    for (const name of ["other.train-old/thesis.txt", "mine.old/config.json", "mine.partial/config.json"]) expect(existsSync(folder.file(name)), name).toBe(true);
    folder.write("file", "");
    expect((await folder.train("label.jsonl", "file", "--restart")).stderr).toMatch(/argument-invalid: .*file is a file/);
    mkdirSync(folder.file("empty"));
    expect((await folder.train("label.jsonl", "empty", "--epochs", "1")).code).toBe(0);
  });

  it("a folder that cannot be written, before anything is read", async () => {
    const { code, stderr } = await folder.train("nowhere.jsonl", "label.jsonl/out");
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*label\.jsonl\/out could not be written/);
    expect(code).toBe(1);
  });
});

describe("options", () => {
  /** As the program reads them. */
  function planOf(args: Record<string, string | true | string[]>): ReturnType<typeof readTrainPlan> {
    const session = { values: (option: string) => [args[option] ?? []].flat().map(String) } as unknown as Session;
    return readTrainPlan(args, session);
  }

  it("all reach the library", () => {
    const plan = planOf({
      task: "t", data: "-", out: "o", encoder: "e", dev: "d", method: "dora", rank: "4", alpha: "2.5", "rs-lora": true, targets: "query,output", layers: "0,2", from: "f", epochs: "7",
      "learning-rate": "1e-3", "head-learning-rate": ".5", "batch-size": "3", schedule: "cosine", warmup: "0.2", "weight-decay": "0", clip: "none", dropout: "0.2", "lora-dropout": "0.1", "label-smoothing": "0.05",
      "class-weight": ["a=b=2", "c=0.5"], patience: "2", "evaluate-every": "10", "max-tokens": "64", offsets: "codepoint", seed: "0", workers: "3", restart: true, json: true,
    }); // prettier-ignore
    expect(plan).toEqual({
      task: "t", data: "-", out: "o", encoder: "e", dev: { path: "d" }, workers: 3, restart: true, json: true,
      options: {
        method: "dora", rank: 4, alpha: 2.5, rsLora: true, targets: ["query", "output"], layers: [0, 2], from: "f", epochs: 7, learningRate: 1e-3, headLearningRate: 0.5, batchSize: 3,
        schedule: "cosine", warmup: 0.2, weightDecay: 0, clip: null, dropout: 0.2, loraDropout: 0.1, labelSmoothing: 0.05, classWeights: { "a=b": 2, c: 0.5 }, patience: 2, evaluateEvery: 10, maxLength: 64,
        offsets: "codepoint", seed: 0,
      },
    }); // prettier-ignore
  });

  it("layers are how many of the last, or a list, which a comma makes of one", () => {
    const layers = (text: string): unknown => planOf({ task: "t", data: "d", out: "o", layers: text }).options.layers;
    expect(["3", "0,5", "0,"].map(layers)).toEqual([3, [0, 5], [0]]);
    for (const text of ["0", ",", ",0", "0,,5", "4,5,", "a", "1.5"]) expect(() => layers(text), text).toThrow(/--layers is .+or one with a comma behind it/);
  });

  it("that are not given are left to the library", () => {
    expect(planOf({ task: "t", data: "d", out: "o" })).toEqual({ task: "t", data: "d", out: "o", encoder: undefined, dev: "held out", workers: 1, restart: false, json: false, options: { seed: 1 } });
    expect(planOf({ task: "t", data: "d", out: "o", "no-dev": true, targets: "all-linear", layers: "2", patience: "none", "evaluate-every": "epoch", "class-weights": "balanced" })).toMatchObject({
      dev: null, options: { targets: "all-linear", layers: 2, patience: null, evaluateEvery: "epoch", classWeights: "balanced" },
    }); // prettier-ignore
  });
});

describe("rootstock eval", () => {
  it("reads tokens and tags of a row with a text and spans when it is told to", async () => {
    const rows = rowsOf(40, (n) => ({ ...spansRow(n), ...taggedRow(n) }));
    // Longer than 12 tokens as a text alone.
    rows[0] = { text: `w1${" w20".repeat(20)}`, spans: [{ start: 0, end: 2, label: "A" }], tokens: ["w1"], tags: ["B-A"] };
    folder.rows("both.jsonl", rows);
    const args = ["eval", "--encoder", folder.file("encoder"), "--adapter", folder.file("tags"), "--data", folder.file("both.jsonl"), "--json"];
    const [text, tokens] = [scores((await program(args)).stdout), scores((await program([...args, "--tokens"])).stdout)];
    expect(text.truncated).toBe(tokens.truncated + 1);
  });

  it("leaves out rows without a text, as training does", async () => {
    folder.rows("blank.jsonl", [{ text: " ", label: "low" }, ...rowsOf(5, labelRow)]);
    const { code, stdout } = await program(["eval", "--encoder", folder.file("encoder"), "--adapter", folder.file("label"), "--data", folder.file("blank.jsonl"), "--json"]);
    expect({ code, rows: scores(stdout).rows }).toEqual({ code: 0, rows: 5 });
  });

  it("refuses rows of two forms", async () => {
    folder.rows("mixed.jsonl", [labelRow(1), labelsRow(2)]);
    const { code, stderr } = await program(["eval", "--encoder", folder.file("encoder"), "--adapter", folder.file("label"), "--data", folder.file("mixed.jsonl")]);
    expect(stderr).toContain('line 2: the rows before have "label", this one has "labels"');
    expect(code).toBe(1);
  });
});

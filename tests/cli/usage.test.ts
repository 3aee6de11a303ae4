import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { program, ROOT } from "./program.ts";

const COMMANDS = ["run", "annotate", "embed", "train", "eval", "inspect", "convert", "export", "pretrain", "demo"];

const ANNOTATE = ["annotate", "x.jsonl", "--output", "y.jsonl"];
const TRAIN = ["train", "--task", "a", "--data", "b.jsonl", "--out", "c"];
const MOOD = ["--tasks", "vader-sentiment"];

describe("help and version", () => {
  it("lists the commands", async () => {
    const { code, stdout, stderr } = await program(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ *${command} {2,}`, "m"));
  });

  it.each(COMMANDS)("shows help of %s in 80 columns, without colours in a pipe", async (command) => {
    const { code, stdout, stderr } = await program([command, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`rootstock ${command}`);
    expect(stdout).not.toContain("\x1b");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("prints the version of package.json", async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
    expect(await program(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("wrong usage", () => {
  it.each<[string, string[], string]>([
    ["no command", [], "no command given"],
    ["an unknown command", ["graft"], 'no command "graft"'],
    ["a property of every object as a command", ["constructor"], 'no command "constructor"'],
    ["an unknown option", ["run", "--bogus", "text"], "--bogus"],
    ["a negated option", ["run", "--no-json", "text"], "--no-json"],
    ["an option without its value", ["run", "text", "--adapter"], "--adapter"],
    ["an empty value", ["run", "--input="], "--input has an empty value"],
    ["an option given twice", ["run", "--top-k", "1", "--top-k", "2", "text"], "--top-k is given 2 times"],
    ["a value for a flag", ["run", "--json=yes", "text"], "--json"],
    ["no text", ["run"], "no text given"],
    ["texts and a file", ["run", "--input", "x.txt", "text"], "not both"],
    ['"-" among texts', ["embed", "one", "-"], '"-" stands for standard input'],
    ["a count of 0", ["run", "--top-k", "0", "text"], '--top-k is "0"'],
    ["a count that is no number", ["run", "--max-tokens", "1e3", "text"], '--max-tokens is "1e3"'],
    ["an unknown aggregation", ["run", "--aggregation", "last", "text"], "none, simple, first, average, max"],
    ["an adapter without a name", ["run", "--adapter", "folder", "text"], "NAME=DIR"],
    ["an encoder without an adapter", ["run", "--encoder", "folder", "text"], "no adapter given"],
    ["a missing argument", ["inspect"], "FOLDER"],
    ["one argument too many", ["inspect", "a", "b"], '"b"'],
    ["a missing option", ["eval", "--data", "x.jsonl"], "--adapter"],
    ["no tasks", ["annotate", "x.jsonl", "--output", "y.jsonl"], "--tasks"],
    ["a task without an adapter", [...ANNOTATE, "--tasks", "nobody"], '"nobody"; the adapters are: banking77, '],
    ["a task given twice", [...ANNOTATE, "--tasks", "vader-sentiment,vader-sentiment"], '"vader-sentiment" twice'],
    ["an adapter given twice", [...ANNOTATE, "--tasks", "a", "--adapter", "a=x", "--adapter", "a=y"], '--adapter names "a" twice'],
    ["a file of no known kind", ["annotate", "x.doc", "--output", "y.jsonl", "--tasks", "vader-sentiment"], "--format jsonl|csv|tsv|text|parquet"],
    ["an unknown format", [...ANNOTATE, ...MOOD, "--format", "xml"], "jsonl, csv, tsv, text, parquet"],
    ["an unknown output format", [...ANNOTATE, ...MOOD, "--output-format", "csv"], "jsonl, parquet"],
    ["a shard that is none", [...ANNOTATE, ...MOOD, "--shard", "4/3"], '--shard is "4/3"'],
    ["no worker", [...ANNOTATE, ...MOOD, "--workers", "0"], '--workers is "0"'],
    ["more workers than may train", [...TRAIN, "--workers", "65"], "--workers is 65; give a whole number from 1 to 64"],
    ["more workers than may pre-finetune", ["pretrain", "bench/mtpf/base.json", "--output", "x", "--workers", "65"], "--workers is 65; give a whole number from 1 to 64"],
    ["more workers than there may be", [...ANNOTATE, ...MOOD, "--workers", "65"], "--workers is 65; give a whole number from 1 to 64"],
    ["a time that is none", [...ANNOTATE, ...MOOD, "--checkpoint", "soon"], '--checkpoint is "soon"'],
    ["to go on and to begin anew", [...ANNOTATE, ...MOOD, "--resume", "--overwrite"], "not both"],
    ["an output that is the input", ["annotate", "x.jsonl", "--output", "./x.jsonl", ...MOOD], "is given for two things"],
    ["an input that the run would empty", ["annotate", "y.jsonl.partial", "--format", "jsonl", "--output", "y.jsonl", "--overwrite", ...MOOD], "y.jsonl.partial is a file that the run makes beside y.jsonl"],
    ["a file of bad rows in the place of the good ones", [...ANNOTATE, ...MOOD, "--errors", "./y.jsonl.partial"], "y.jsonl.partial is a file that the run makes"],
    ["a file of bad rows in the place of the checkpoint", [...ANNOTATE, ...MOOD, "--errors", "y.jsonl.checkpoint"], "y.jsonl.checkpoint is a file that the run makes"],
    ["a file of bad rows in the place of a new checkpoint", [...ANNOTATE, ...MOOD, "--errors", "y.jsonl.checkpoint.new"], "y.jsonl.checkpoint.new is a file that the run makes"],
    ["a file of bad rows in the place of a Parquet file in the making", [...ANNOTATE, ...MOOD, "--errors", "y.jsonl.partial.new"], "y.jsonl.partial.new is a file that the run makes"],
    ["to resume a pipe", ["annotate", "-", "--output", "-", "--resume", ...MOOD], "nothing to resume"],
    ["Parquet from a pipe", ["annotate", "-", "--output", "y.jsonl", "--format", "parquet", ...MOOD], "not from standard input"],
    ["Parquet into a pipe", ["annotate", "x.jsonl", "--output", "-", "--output-format", "parquet", ...MOOD], "not to standard output"],
    ["no data to train on", ["train", "--task", "a", "--out", "b"], "--data"],
    ["dev rows and none", [...TRAIN, "--dev", "x", "--no-dev"], "give --dev or --no-dev, not both"],
    ["standard input for two things", ["train", "--task", "a", "--out", "b", "--data", "-", "--dev", "-"], "standard input is given for two things"],
    ["a root as the folder to write", ["train", "--task", "a", "--data", "b", "--out", "/"], "give a folder of its own"],
    ["an unknown method", [...TRAIN, "--method", "vera"], "lora, dora, ia3, head"],
    ["a rate that is no number", [...TRAIN, "--learning-rate", "fast"], '--learning-rate is "fast"'],
    ["a negative rate", [...TRAIN, "--learning-rate=-1"], '--learning-rate is "-1"'],
    ["an unknown target", [...TRAIN, "--targets", "query,quarry"], "all-linear or some of query,"],
    ["layers that are none", [...TRAIN, "--layers", "last"], '--layers is "last"'],
    ["a weight without a label", [...TRAIN, "--class-weight", "2"], "give LABEL=NUMBER"],
    ["a weight that is no number", [...TRAIN, "--class-weight", "a=b"], '--class-weight is "b"'],
    ["two weights of one label", [...TRAIN, "--class-weight", "a=1", "--class-weight", "a=2"], '--class-weight names "a" twice'],
    ["weights in two ways", [...TRAIN, "--class-weight", "a=1", "--class-weights", "none"], "not both"],
    ["a conversion onto itself", ["convert", "x/../y", "y"], "give another"],
    ["an export onto itself", ["export", "x/../y", "y"], "give another"],
  ])("refuses %s with exit code 2 and one line", async (_, args, words) => {
    const { code, stdout, stderr } = await program(args);
    expect(stderr).toMatch(/^rootstock: usage: [^\n]+\n$/);
    expect(stderr).toContain(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

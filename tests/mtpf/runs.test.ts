import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benchModule } from "./modules.ts";

const { convertRun, digest, runOf } = await benchModule("runs");

test("what ships is a run of its own, without a folder of runs: the files of models/, served as they are", async () => {
  const run = runOf("shipped-1", "there-are-no-runs");
  await convertRun(run, "there-are-no-data");
  const files = [`${run.int8}/model.safetensors`, ...["ner", "tc"].map((family) => `${run.adapters[family]}/adapter_model.safetensors`)];
  const listed = readFileSync("models/MANIFEST", "utf8");
  for (const file of files) expect(listed).toContain(`${digest(file)}  ${file.replace("models/", "")}\n`);
});

test("another run that is not there is named, with what makes it", () => {
  expect(() => runOf("naive-1", "there-are-no-runs")).toThrow(/no run naive-1: there-are-no-runs\/naive-1\/encoder is missing \(rootstock pretrain/);
});

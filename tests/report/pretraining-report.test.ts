import { expect, it } from "vitest";
import { pretrain } from "../../src/pretrain/pretrain.ts";
import type { PretrainingHistory } from "../../src/pretrain/types.ts";
import { pretrainingReport } from "../../src/report/pretraining-report.ts";
import { DATA, ENCODER, OPTIONS } from "../pretrain/tiny-run.ts";

const history = async (regime: "task-primary" | "ner-only"): Promise<PretrainingHistory> => (await pretrain(ENCODER, DATA, { ...OPTIONS, regime })).history;

it("shows curves, conflicts, sources and settings", async () => {
  const page = pretrainingReport(await history("task-primary"));
  for (const title of ["NER loss", "TC loss", "TC accuracy in the batch", "Cosine of the two gradients", "Conflict of the gradients", "Conflict, in the mean over batches", "Sources", "Settings"]) expect(page).toContain(title);
  expect(page).toContain("Means of 2 batches, update 8");
  expect(page).toContain("learningRates.<wbr>backbone");
});

it("has nothing of a family that took no part", async () => {
  const page = pretrainingReport(await history("ner-only"));
  expect(page).toContain("NER loss");
  for (const title of ["TC loss", "Conflict of the gradients"]) expect(page).not.toContain(title);
});

it("escapes names of strangers and draws runs that have hardly begun", async () => {
  const base = await history("task-primary");
  const bad: PretrainingHistory = { ...base, sources: [{ ...base.sources[0]!, name: `<script>alert("x")</script>` }], warnings: ["<b>"], steps: [{ ...base.steps[0]!, gradientNorm: null }], probes: [] };
  const page = pretrainingReport(bad);
  for (const raw of ["<script>", "<b>"]) expect(page).not.toContain(raw);
  expect(pretrainingReport({ ...base, steps: [], probes: [], sources: [], seconds: 0, tokens: 0 })).toContain("Pre-finetuning report");
});

it("draws very many probes as means of neighbours", async () => {
  const base = await history("task-primary");
  const [probe] = base.probes;
  const probes = Array.from({ length: 130_000 }, (_, i) => ({ ...probe!, step: 10 * (i + 1), batches: 1, parts: probe!.parts.map((part) => ({ ...part, cosine: i % 2, ratio: 1 })) }));
  const report = pretrainingReport({ ...base, probes });
  const cells = [...report.matchAll(/<title>part ([^,]*), the 929 updates probed from ([^:]*): ([^<]*)<\/title>/g)];
  expect(cells).toHaveLength(2 * 140 * probe!.parts.length);
  expect(cells[1]!.slice(1)).toEqual([probe!.parts[0]!.part, "9,300", "0.501"]);
});

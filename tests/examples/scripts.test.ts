import { expect, it } from "vitest";
import { findEngine, runScript, type EngineCommand } from "../runtimes/engines.mjs";

const TEXT = "Marie Curie lost her card in Warsaw.";

function engine(name: "deno" | "bun"): EngineCommand {
  const found = findEngine(name);
  if ("absent" in found) throw new Error(found.absent);
  return found;
}

it("examples/node prints the entities and the label of its text", () => {
  const output = runScript({ command: [process.execPath] }, "examples/node/tasks.mjs", [TEXT]);
  expect(output.trim().split("\n")).toEqual(["PER Marie Curie 0 11", "LOC Warsaw 29 35", "lost_or_stolen_card"]);
});

it("examples/deno needs no permission but reading", () => {
  const [deno] = engine("deno").command;
  const output = runScript({ command: [deno!, "run", "--no-lock", "--no-prompt", "--allow-read"] }, "examples/deno/tasks.ts", [TEXT]);
  expect(JSON.parse(output)).toMatchObject({ people: [{ word: "Marie Curie" }, { word: "Warsaw" }], mood: [{ label: "negative" }] });
});

it("examples/bun runs two pipelines on one encoder", () => {
  const output = runScript(engine("bun"), "examples/bun/tasks.ts", [TEXT]);
  const { people, mood } = JSON.parse(output) as { people: object[]; mood: object[] };
  expect(people).toMatchObject([{ entity_group: "PER", start: 0, end: 11 }, { entity_group: "LOC", start: 29, end: 35 }]); // prettier-ignore
  expect(mood).toHaveLength(2);
});

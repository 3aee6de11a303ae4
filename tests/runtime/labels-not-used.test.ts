import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEncoder, type Encoder } from "../../src/index.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { loadOdd, ODD_ADAPTERS } from "./bert-odd.ts";
import { editJson, readFolder } from "./folder.ts";
import { refuses } from "./refuses.ts";

const ODD = { id2label: { 7: null }, problem_type: "ranking" };
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const adapter = (name: string): (typeof ODD_ADAPTERS)[number] => ODD_ADAPTERS.find((one) => one.name === name)!;

let encoder: Encoder;
beforeAll(async () => {
  encoder = await loadOdd({}, []);
});
afterAll(() => encoder.dispose());

describe("labels that nothing uses", () => {
  it("of an encoder's own config.json refuse no encoder", async () => {
    (await loadEncoder(editJson(tinyFolder("bert"), "config.json", ODD))).dispose();
  });

  it("of an adapter without a head refuse no adapter", async () => {
    const files = readFolder("tests/golden/peft/adapters/feature-extraction");
    for (const config of [json(ODD), new TextEncoder().encode("no JSON")]) await encoder.addAdapter("features", new Map(files).set("config.json", config), { replace: true });
    expect(encoder.info.tasks[0]).toMatchObject({ kind: null, labels: [] });
  });

  it("are not read where labels are given, nor is a problem type for entities", async () => {
    const { files, labels } = adapter("bert-odd-token");
    await encoder.addAdapter("people", new Map(files).set("config.json", json(ODD)), { labels });
    const table = Object.fromEntries(labels.entries());
    await encoder.addAdapter("people", new Map(files).set("config.json", json({ id2label: table, problem_type: "ranking" })), { replace: true });
    await refuses(encoder.addAdapter("none", new Map(files).set("config.json", json(ODD))), "config-invalid", /id2label/);
    const text = adapter("bert-odd-seq");
    await encoder.addAdapter("topic", new Map(text.files).set("config.json", json({ id2label: { 7: null } })), { labels: text.labels });
    await refuses(encoder.addAdapter("none", new Map(text.files).set("config.json", json(ODD)), { labels: text.labels }), "config-invalid", /problem_type/);
  });

  it("are whole numbers as their digits", async () => {
    const { files, labels } = adapter("bert-odd-seq");
    await encoder.addAdapter("stars", new Map(files).set("config.json", json({ id2label: Object.fromEntries(labels.map((_, i) => [i, i + 1])) })));
    const { stars } = await encoder.run("w1 w2", ["stars"], { topK: null });
    expect(stars.map((one) => (one as { label: string }).label).sort()).toEqual(labels.map((_, i) => String(i + 1)));
  });
});

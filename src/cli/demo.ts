import { defineCommand } from "citty";
import type { Encoder } from "../index.ts";
import { DEMO_ADAPTERS, DEMO_PARTS, type DemoPart } from "./demo-texts.ts";
import { measure, printTimings } from "./demo-timings.ts";
import { openEncoder, packageAdapters, type NamedFolder } from "./models.ts";
import { printResults } from "./print-results.ts";
import { byteSize, megabytes, table } from "./print-table.ts";
import type { Style } from "./print-style.ts";
import type { Command, Session } from "./session.ts";

const definition = defineCommand({
  meta: { name: "demo", description: "Six adapters at work on one encoder, with timings" },
  args: {},
  async run({ data }) {
    const session = data as Session;
    const { style } = session;
    const start = performance.now();
    const encoder = await openEncoder(undefined, session);
    const loadMs = performance.now() - start;
    const folders = demoFolders();
    const [first, ...others] = folders;
    const addMs = [await add(encoder, first!, session)];
    await encoder.run(DEMO_PARTS[0]!.texts[0]!, DEMO_PARTS[0]!.tasks);
    const firstResultMs = performance.now();
    for (const folder of others) addMs.push(await add(encoder, folder, session));

    await session.write(`${style.bold("Rootstock")}: one int8 encoder in memory, adapters swapped on its last layers\n\n`);
    await session.write(`${printModels(encoder, addMs, style)}\n`);
    for (const part of DEMO_PARTS) await showPart(encoder, part, session);
    const timings = await measure(encoder, folders, session);
    await session.write(printTimings(encoder, { loadMs, firstResultMs, ...timings }, style));
    encoder.dispose();
  },
});

/** The package's adapters that the demonstration knows, under its names. */
function demoFolders(): NamedFolder[] {
  const known = new Map(packageAdapters().map(({ name, folder }) => [name, folder]));
  return DEMO_ADAPTERS.map(({ name, folder }) => ({ name, folder: known.get(folder) ?? folder }));
}

async function add(encoder: Encoder, { name, folder }: NamedFolder, { signal }: Session): Promise<number> {
  const start = performance.now();
  await encoder.addAdapter(name, folder, { signal });
  return performance.now() - start;
}

function printModels(encoder: Encoder, addMs: readonly number[], style: Style): string {
  const { family, layers, hidden, memory, tasks, converted } = encoder.info;
  const form = converted ? "converted" : "quantised while loading";
  const rows = tasks.map(({ name, kind, labels, firstLayer, bytes }, index) => [
    name,
    DEMO_ADAPTERS[index]!.folder,
    kind === "token" ? "NER" : "text",
    String(labels.length),
    firstLayer >= layers ? "none" : `${Math.max(0, firstLayer) + 1}-${layers}`,
    byteSize(bytes),
    `${addMs[index]!.toFixed(1)} ms`,
  ]);
  const [head, ...lines] = table([["task", "adapter", "kind", "labels", "layers", "size", "added in"], ...rows], "lllrlrr");
  return [
    `  ${family}, ${layers} layers of ${hidden}, ${form}: ${megabytes(memory.weights)} of weights, shared by`,
    "",
    style.dim(`  ${head}`),
    ...lines.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

async function showPart(encoder: Encoder, { title, tasks, texts, topK }: DemoPart, session: Session): Promise<void> {
  const { signal, style, width } = session;
  await session.write(`${style.bold(title)}\n\n`);
  for (const text of texts) {
    const results = await encoder.run(text, tasks, { topK, signal });
    await session.write(`${printResults(text, results, encoder.info.tasks, { style, width, offsets: "utf16" })}\n`);
  }
}

export const demo: Command = { definition };

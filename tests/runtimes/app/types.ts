import { loadEncoder, RootstockError, type Classification, type Encoder, type Entity, type EntityGroup, type LoadOptions, type Results } from "rootstock";
import { loadEncoder as loadInline } from "rootstock/inline";
import { assetSource, loadEncoder as loadInWorker, type Fetcher } from "rootstock/workerd";
import { cached } from "rootstock/browser";
import { loadPool } from "rootstock/pool";
import { trainAdapter } from "rootstock/train";
import { pipeline } from "rootstock/transformers";
import fixed from "rootstock/fixed.wasm";

export const entries: object[] = [cached, loadPool, trainAdapter, pipeline];

interface Labels {
  people: Entity[];
  intent?: Classification[];
}

const options: LoadOptions = { wasm: { fixed }, kernel: "fixed" };
const loaders: ((source: string, options?: LoadOptions) => Promise<Encoder>)[] = [loadEncoder, loadInline, loadInWorker];

export async function use(assets: Fetcher): Promise<Entity[] | undefined> {
  const encoder = await loadInWorker(assetSource(assets, "/model"), options);
  for (const load of loaders) (await load("model")).dispose();
  try {
    const results: Results<"people"> = await encoder.run("text", ["people"]);
    for (const item of results.people) item.score.toFixed(3);
    // @ts-expect-error a text is a string
    await encoder.run(1, ["people"]);
    // @ts-expect-error nobody asked for it
    void results.intent;
    const { groups, intent } = await encoder.run<{ groups: EntityGroup[]; intent: Classification[] }>("text", ["groups", "intent"]);
    const words: string[] = [...groups.map(({ word }) => word), ...intent.map(({ label }) => label)];
    // @ts-expect-error a task that is not stated
    await encoder.run<{ groups: EntityGroup[] }>("text", ["intent"]);
    // @ts-expect-error no task gives texts
    await encoder.run<{ groups: string[] }>("text", ["groups"]);
    const [first] = await encoder.runBatch<Labels>([{ text: words.join(" "), tasks: ["people"] }], { aggregation: "none" });
    return first?.people;
  } catch (error) {
    if (error instanceof RootstockError && error.code === "text-empty") return undefined;
    throw error;
  }
}

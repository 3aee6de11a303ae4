import { loadEncoder, RootstockError, type Encoder, type Entity, type LoadOptions, type Results } from "rootstock";
import { loadEncoder as loadInline } from "rootstock/inline";
import { assetSource, loadEncoder as loadInWorker } from "rootstock/workerd";
import fixed from "rootstock/fixed.wasm";

const options: LoadOptions = { wasm: { fixed }, kernel: "fixed" };
const loaders: ((source: string, options?: LoadOptions) => Promise<Encoder>)[] = [loadEncoder, loadInline, loadInWorker];

export async function use(assets: { fetch(url: URL, init: RequestInit): Promise<Response> }): Promise<Entity[] | undefined> {
  const encoder = await loadInWorker(assetSource(assets, "/model"), options);
  for (const load of loaders) (await load("model")).dispose();
  try {
    const results: Results = await encoder.run("text", ["people"]);
    // @ts-expect-error a text is a string
    await encoder.run(1, ["people"]);
    return results["people"] as Entity[] | undefined;
  } catch (error) {
    if (error instanceof RootstockError && error.code === "text-empty") return undefined;
    throw error;
  }
}

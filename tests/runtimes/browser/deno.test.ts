import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { FileServer } from "./server.ts";

const SCRIPT = `
import { loadEncoder } from "./src/index.ts";
import { cached } from "./src/browser/index.ts";
const base = Deno.args[0] + "models/";
using encoder = await loadEncoder(cached(base + "mtpf-minilm-l6"));
await encoder.addAdapter("people", cached(base + "adapters/wikigold"));
console.log(JSON.stringify(await encoder.run("Marie Curie lived in Warsaw.", ["people"])));
`;

it("Deno keeps folders in its own Cache API, and loads without the server", async () => {
  const home = mkdtempSync(join(tmpdir(), "rootstock-deno-"));
  const server = new FileServer();
  const base = await server.start();
  const run = async (): Promise<string> => {
    const env = { ...process.env, DENO_DIR: home };
    const running = promisify(execFile)("node_modules/.bin/deno", ["run", "-A", "--no-lock", "--ext=ts", "-", base], { env });
    running.child.stdin!.end(SCRIPT);
    return (await running).stdout;
  };
  try {
    const first = await run();
    expect(JSON.parse(first)).toMatchObject({ people: [{ word: "Marie Curie" }, { word: "Warsaw" }] });
    const { length } = server.requests;
    expect(await run()).toBe(first);
    expect(server.requests.slice(length).map(({ bytes }) => bytes)).toEqual([0, 0, 0, 0]);
    await server.stop();
    expect(await run()).toBe(first);
  } finally {
    await server.stop().catch(() => undefined);
    rmSync(home, { recursive: true });
  }
});

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/** Makes every way out of Node fail and remember: fetch, and the modules below it. */
const BLOCK = `
import { createRequire, syncBuiltinESMExports } from "node:module";
const require = createRequire("file:///");
globalThis.tried = [];
const refuse = (name) => (target) => { globalThis.tried.push(name + " " + target); throw new Error("no network: " + name); };
globalThis.fetch = refuse("fetch");
for (const [name, methods] of Object.entries({ http: ["request", "get"], https: ["request", "get"], net: ["connect", "createConnection"], tls: ["connect"], dns: ["lookup"] }))
  for (const method of methods) require("node:" + name)[method] = refuse(name + "." + method);
syncBuiltinESMExports();
`;

async function withoutNetwork(code: string): Promise<unknown> {
  const preload = `data:text/javascript,${encodeURIComponent(BLOCK)}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", preload, "--input-type=module", "--eval", code]);
  return JSON.parse(stdout);
}

describe("without a network", () => {
  for (const entry of ["index", "inline"]) {
    it(`${entry}: a folder loads and two tasks run, and nothing was tried`, async () => {
      const code = `
        import { loadEncoder } from "./dist/${entry}.js";
        const encoder = await loadEncoder("models/mtpf-minilm-l6");
        await encoder.addAdapter("people", "models/adapters/wikigold");
        await encoder.addAdapter("intent", "models/adapters/banking77");
        const results = await encoder.run("Ada Lovelace lost her card", ["people", "intent"]);
        console.log(JSON.stringify({ tasks: Object.keys(results), tried }));`;
      expect(await withoutNetwork(code)).toEqual({ tasks: ["people", "intent"], tried: [] });
    });
  }

  it("a URL is fetched from, and from there alone", async () => {
    const code = `
      import { loadEncoder } from "./dist/index.js";
      const error = await loadEncoder("http://127.0.0.1:9/model").catch((error) => error);
      console.log(JSON.stringify({ code: error.code, tried }));`;
    expect(await withoutNetwork(code)).toEqual({ code: "source-unreadable", tried: ["fetch http://127.0.0.1:9/model/rootstock.json"] });
  });
});

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { expectedAnswer, printedAnswer, type Answer } from "../answers.ts";
import { runtime } from "../asked.ts";
import { viteServer, withEsbuild, withVite, withWebpack, type Bundle } from "./bundle.ts";
import { pageAnswer, servePage } from "./chromium.ts";

const app = inject("app");
const models = join(app, "node_modules/rootstock/models");
let expected: Answer;
beforeAll(async () => {
  expected = await expectedAnswer();
});

/** As docs/pool.md says. */
const withWorkerEntry: Bundle = (app, source, name) => {
  const entryPoints = { main: join(app, source), worker: join(app, "node_modules/rootstock/dist/pool/worker.js") };
  return withEsbuild({ platform: "node", loader: { ".wasm": "binary" }, entryPoints })(app, source, name);
};

const node = runtime("node");
const chromium = runtime("chromium");

describe("a bundle for Node", () => {
  const cases: [string, string, Bundle, string][] = [
    ["esbuild: kernels inside the code", "console-inline.js", withEsbuild({ platform: "node" }), "main.js"],
    ["esbuild: kernels imported as bytes", "console-imported.js", withEsbuild({ platform: "node", loader: { ".wasm": "binary" } }), "main.js"],
    ["esbuild: a pool, its worker a second entry", "console-pool.js", withWorkerEntry, "main.js"],
    ["webpack: kernels in files", "console.js", withWebpack("node20"), "main.mjs"],
    ["webpack: kernels inside the code", "console-inline.js", withWebpack("node20"), "main.mjs"],
  ];
  for (const [index, [title, source, bundle, main]] of cases.entries()) {
    it.skipIf(node.path === null)(`${title}${node.why}`, async () => {
      const folder = await bundle(app, source, `node-${index}`);
      expect((await printedAnswer(node.path!, [join(folder, main)], app)).results).toEqual(expected.results);
    });
  }
});

it("a pool whose worker was left out says where it must lie", async () => {
  const folder = await withEsbuild({ platform: "node", loader: { ".wasm": "binary" } })(app, "console-pool.js", "no-worker");
  await expect(printedAnswer(process.execPath, [join(folder, "main.js")], app)).rejects.toThrow(/lost while it loaded: .*its worker\.js must lie beside it: docs\/pool\.md/);
});

it("Vite makes a pool's worker a file, with its kernels", async () => {
  const files = readdirSync(join(await withVite(app, "page-pool.js", "pool-files"), "assets"));
  for (const name of [/^worker-.*\.js$/, /^fixed-.*\.wasm$/, /^relaxed-.*\.wasm$/]) expect(files).toContainEqual(expect.stringMatching(name));
});

describe("a bundle for browsers, in Chromium", () => {
  const cases: [string, string, Bundle, string][] = [
    ["Vite: kernels in files", "page.js", withVite, "main.js"],
    ["Vite: kernels inside the code", "page-inline.js", withVite, "main.js"],
    ["Vite: a pool, nothing to configure", "page-pool.js", withVite, "main.js"],
    ["webpack: kernels in files", "page.js", withWebpack("web"), "main.mjs"],
    ["esbuild: kernels inside the code", "page-inline.js", withEsbuild({ platform: "browser" }), "main.js"],
  ];
  for (const [index, [title, source, bundle, main]] of cases.entries()) {
    it.skipIf(chromium.path === null)(`${title}${chromium.why}`, async () => {
      const folder = await bundle(app, source, `page-${index}`);
      const { url, server } = await servePage(folder, models, `/${main}`);
      try {
        const { answer, elsewhere } = await pageAnswer(chromium.path!, url);
        expect(answer.results).toEqual(expected.results);
        expect(answer.kernel).toMatch(/^rel[12]$/);
        expect(elsewhere).toEqual([]);
      } finally {
        server.close();
      }
    });
  }
});

describe("Vite's development server, in Chromium", () => {
  const cases: [string, string][] = [
    ["kernels in files", "page.js"],
    ["kernels inside the code", "page-inline.js"],
  ];
  for (const [title, source] of cases) {
    it.skipIf(chromium.path === null)(`${title}, nothing to configure${chromium.why}`, async () => {
      const server = await viteServer(app, source);
      try {
        const { answer, elsewhere } = await pageAnswer(chromium.path!, server.url);
        expect(answer.results).toEqual(expected.results);
        expect(elsewhere).toEqual([]);
      } finally {
        await server.close();
      }
    });
  }
});

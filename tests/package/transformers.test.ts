import { execFileSync } from "node:child_process";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

it("rootstock/transformers bundles for a browser: nothing of Node is imported", async () => {
  const bundle = await rolldown({ input: "src/transformers/index.ts", external: ["@huggingface/tokenizers"], platform: "browser" });
  const { output } = await bundle.generate({ format: "esm" });
  const [chunk] = output;
  expect([...chunk.imports, ...chunk.dynamicImports]).toEqual(["@huggingface/tokenizers"]);
});

it("is an entry of the package, beside the core and of the same classes", () => {
  const script = `
    import * as core from "rootstock";
    import * as transformers from "rootstock/transformers";
    process.stdout.write(JSON.stringify([Object.keys(transformers).sort(), transformers.RootstockError === core.RootstockError]));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([["RootstockError", "Tensor", "cos_sim", "dot", "env", "pipeline"], true]);
});

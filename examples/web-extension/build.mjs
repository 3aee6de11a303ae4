// Puts the extension together: node examples/web-extension/build.mjs [folder]. Load the folder as an unpacked extension.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = join(HERE, "../..");
/** All of it is in the package: stores refuse extensions that load code from elsewhere. */
const MODELS = ["mtpf-minilm-l6", "adapters/wikigold", "adapters/vader-sentiment"];

export async function build(target) {
  mkdirSync(target, { recursive: true });
  const bundle = await rolldown({ input: join(HERE, "service-worker.js"), platform: "browser", cwd: PACKAGE });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  writeFileSync(join(target, "service-worker.js"), output[0].code);
  for (const file of ["manifest.json", "content.js"]) cpSync(join(HERE, file), join(target, file));
  for (const kind of ["relaxed", "fixed"]) cpSync(join(PACKAGE, `build/wasm/${kind}.wasm`), join(target, `build/wasm/${kind}.wasm`));
  for (const model of MODELS) cpSync(join(PACKAGE, "models", model), join(target, "models", model), { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build(process.argv[2] ?? join(HERE, "dist"));

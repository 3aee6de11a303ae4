// Writes what the package's entries need beside the kernel binaries, into build/wasm/:
//
//   node scripts/build-entries.mjs        after build-wasm.mjs
//
// inline.js, inline.d.ts   both modules as text, deflated and in base64, for `rootstock/inline`
// module.d.ts              the type of `rootstock/fixed.wasm` and `rootstock/relaxed.wasm` where they are imported as modules
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";

const folder = new URL("../build/wasm/", import.meta.url);
const NAMES = ["fixed", "relaxed"];

function writeIfNew(name, text) {
  const file = new URL(name, folder);
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

const packed = NAMES.map((name) => [name, deflateRawSync(readFileSync(new URL(`${name}.wasm`, folder)), { level: 9 }).toString("base64")]);
writeIfNew("inline.js", packed.map(([name, text]) => `export const ${name} =\n  "${text}";\n`).join(""));
writeIfNew("inline.d.ts", NAMES.map((name) => `export declare const ${name}: string;\n`).join(""));
writeIfNew("module.d.ts", "declare const module: WebAssembly.Module;\nexport default module;\n");

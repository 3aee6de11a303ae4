// Writes what the package's entries need beside the kernel binaries, into build/wasm/:
//
//   node scripts/build-entries.mjs        after build-wasm.mjs
//
// inline.js, inline.d.ts   both modules, one after the other, deflated and in base64, for `rootstock/inline`
// module.d.ts              the type of `rootstock/fixed.wasm` and the other three binaries where they are imported as modules
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";

const folder = new URL("../build/wasm/", import.meta.url);
const NAMES = ["fixed", "relaxed"];

function writeIfNew(name, text) {
  const file = new URL(name, folder);
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

const modules = NAMES.map((name) => readFileSync(new URL(`${name}.wasm`, folder)));
const packed = deflateRawSync(Buffer.concat(modules), { level: 9 }).toString("base64");
writeIfNew("inline.js", `export const packed =\n  "${packed}";\nexport const fixedBytes = ${modules[0].length};\n`);
writeIfNew("inline.d.ts", "export declare const packed: string;\nexport declare const fixedBytes: number;\n");
writeIfNew("module.d.ts", "/** A WebAssembly.Module, or what the bundler makes of the file. */\ndeclare const module: object;\nexport default module;\n");

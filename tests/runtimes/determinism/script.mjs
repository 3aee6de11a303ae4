// Runs the case under any runtime that runs scripts (Node, Deno, Bun) and prints one line of JSON.
//   <runtime> script.mjs [texts=200] [kernels=fixed,rel1,rel2]
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadEncoder } from "../../../dist/index.js";
import { KERNELS, runCase } from "./case.mjs";

const [count = "200", kernels = KERNELS.join()] = process.argv.slice(2);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const texts = JSON.parse(readFileSync(new URL("texts.json", import.meta.url), "utf8")).slice(0, Number(count));
const hashes = await runCase({ loadEncoder, source: (folder) => root + folder, texts, kernels: kernels.split(",") });
process.stdout.write(`${JSON.stringify(hashes)}\n`);

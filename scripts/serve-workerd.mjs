// Bundles a worker as wrangler does and serves it by workerd on a loopback port, for tests and the bench.
//
//   node scripts/serve-workerd.mjs WORKER.js ASSETS_FOLDER
//
// Prints one line of JSON, {"port", "pid", "started"} (of workerd; when, by Date.now()), and serves until it is ended or its standard input is.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const COMPATIBILITY_DATE = "2026-11-01";

/** One file of code, and the .wasm modules that it imports beside it. */
async function bundle(entry, folder) {
  await build({
    entryPoints: { worker: entry },
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    logLevel: "warning",
  });
}

function configuration(folder, assets) {
  const kinds = { js: "esModule", wasm: "wasm" };
  // The first module is the worker's main one.
  const names = readdirSync(folder).sort((a, b) => Number(b === "worker.js") - Number(a === "worker.js"));
  const modules = names.map((name) => `(name = "${name}", ${kinds[name.split(".").at(-1)]} = embed "${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "assets", disk = "${assets}")],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  bindings = [(name = "ASSETS", service = "assets")],
  compatibilityDate = "${COMPATIBILITY_DATE}"
);
`;
}

/** The binary itself: the package's own launcher would be one more process, which passes no signal on. */
function workerdPath() {
  const require = createRequire(import.meta.url);
  return require("workerd").default;
}

const [entry, assets] = process.argv.slice(2);
if (assets === undefined) throw new Error("usage: node scripts/serve-workerd.mjs WORKER.js ASSETS_FOLDER");
const folder = mkdtempSync(join(tmpdir(), "rootstock-workerd-"));
await bundle(resolve(entry), folder);
writeFileSync(join(folder, "config.capnp"), configuration(folder, resolve(assets)));
const started = Date.now();
const workerd = spawn(workerdPath(), ["serve", join(folder, "config.capnp"), "--control-fd=3"], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
workerd.on("exit", (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(code ?? 0);
});
let told = "";
workerd.stdio[3].on("data", (chunk) => {
  told += chunk;
  const listening = told.split("\n").find((line) => line.includes('"listen"'));
  if (listening === undefined) return;
  told = "";
  console.log(JSON.stringify({ port: JSON.parse(listening).port, pid: workerd.pid, started }));
});
const end = () => workerd.kill();
process.stdin.on("end", end).resume();
process.on("SIGTERM", end).on("SIGINT", end);

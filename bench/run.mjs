// Every figure of the README: builds what is needed, then runs each benchmark on this Node and on Node 24, on one core.
//   npm run bench -- [--onnx model_int8.onnx] [--encoder FOLDER] [--only kernels,encoder,start-up,swap,pool] [--cpu 1]
//   npm run bench -- --only tasks [--onnx model_int8.onnx] [--encoder FOLDER] [--sections A,B] [--rounds 15] [--texts FILE] [--json FILE]
//   npm run bench -- --only train [--rounds 5]
// tasks and train take minutes, so they run only when they are named.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    onnx: { type: "string" },
    encoder: { type: "string" },
    only: { type: "string", default: "encoder,start-up,swap,kernels" },
    cpu: { type: "string", default: String(Math.max(0, cpus().length - 1)) },
    sections: { type: "string" },
    rounds: { type: "string" },
    texts: { type: "string" },
    json: { type: "string" },
  },
});
const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Paths are the caller's; what is not given is left to the benchmark's own default.
const pathsOf = (given) => Object.entries(given).flatMap(([name, path]) => (path === undefined ? [] : [`--${name}`, resolve(path)]));
const encoder = pathsOf({ encoder: values.encoder });
const models = [...pathsOf({ onnx: values.onnx }), ...encoder];
const paths = pathsOf({ texts: values.texts, json: values.json });
const plain = Object.entries({ sections: values.sections, rounds: values.rounds }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
const options = { encoder: models, "start-up": models, swap: encoder, pool: encoder, tasks: [...models, ...paths, ...plain], train: values.rounds === undefined ? [] : ["--rounds", values.rounds] };
process.chdir(root);

const { dependencies } = JSON.parse(readFileSync("bench/package.json", "utf8"));
if (!Object.keys(dependencies).every((name) => existsSync(`bench/node_modules/${name}`))) run("npm", ["ci", "--prefix", "bench"]);
run(process.execPath, ["scripts/build-wasm.mjs", "fixed", "relaxed", "ceiling-fixed", "ceiling-relaxed"]);
run("npm", ["run", "--silent", "build"]);

// One pinned core: a process that moves between cores loses its caches and its clock. Start-up is not pinned: reading
// and hashing go on beside the main thread there, as they do for users. Nor is the pool, whose workers need cores each.
const pin = spawnSync("taskset", ["-c", values.cpu, "true"]).status === 0 ? ["taskset", "-c", values.cpu] : [];
if (pin.length === 0) console.log("(taskset is not here: the processes are not pinned)");
const engines = [process.execPath, resolve("bench/node_modules/node/bin/node")];
console.log(`${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}`);
for (const name of values.only.split(",")) {
  for (const engine of engines) {
    console.log(`\n## ${name}`);
    const command = [engine, `bench/${name}.mjs`, ...(options[name] ?? [])];
    run(...(name === "start-up" || name === "pool" ? [command[0], command.slice(1)] : pinned(command)));
    if (name !== "encoder" || engine === engines[0]) continue;
    for (const kernel of ["rel2", "fixed"]) run(...pinned([engine, "bench/encoder.mjs", ...models, "--kernel", kernel]));
  }
}

function pinned(command) {
  const [program, ...args] = [...pin, ...command];
  return [program, args];
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: "inherit" });
  if (status !== 0) {
    console.error(`${program} ${args.join(" ")}: ${error?.message ?? `exit code ${status}`}`);
    process.exit(1);
  }
}

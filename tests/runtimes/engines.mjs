// The runtimes that run scripts, and how to run one under each. Plain JavaScript: tests and benchmarks both use it.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const ENGINES = ["node20", "node22", "node24", "node26", "deno", "bun", "arm64"];

const root = fileURLToPath(new URL("../../", import.meta.url));
const engines = `${root}tests/runtimes/engines`;
const arm64Engines = `${root}node_modules/.cache/rootstock/arm64`;

/** Where Debian's libstdc++6-arm64-cross puts the libraries that an ARM64 Node needs. */
const ARM64_LIBRARIES = "/usr/aarch64-linux-gnu";

/** The names in ROOTSTOCK_RUNTIMES (with commas); null when there is none. */
export function askedFor() {
  const names = (process.env.ROOTSTOCK_RUNTIMES ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  return names.length === 0 ? null : names;
}

export function findEngine(name) {
  if (name === "deno") return program("deno", ["run", "-A", "--no-lock"]);
  if (name === "bun") return program("bun", []);
  if (name === "arm64") return arm64();
  const major = name.slice("node".length);
  if (process.versions.node.split(".")[0] === major) return { command: [process.execPath] };
  if (name === "node20") return { absent: `this is Node ${process.versions.node}; start it with Node 20` };
  return locked(engines, `node-${major}-`, []);
}

/** A development dependency's program. */
function program(name, args) {
  const path = `${root}node_modules/.bin/${name}`;
  return existsSync(path) ? { command: [path, ...args] } : { absent: `node_modules has no ${name}; run npm ci` };
}

/** An ARM64 Node: the host's own, or under qemu, which shows that the engine's ARM64 code is right, not how fast it is. */
function arm64() {
  if (process.arch === "arm64") return { command: [process.execPath] };
  const qemu = ["qemu-aarch64-static", "qemu-aarch64"].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (qemu === undefined) return { absent: "there is no qemu-aarch64; on Debian: apt install qemu-user-static" };
  if (!existsSync(`${ARM64_LIBRARIES}/lib/libstdc++.so.6`)) return { absent: "there are no ARM64 libraries; on Debian: apt install libstdc++6-arm64-cross" };
  mkdirSync(arm64Engines, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) cpSync(`${engines}/${file}`, `${arm64Engines}/${file}`);
  const found = locked(arm64Engines, "node-24-", ["--os=linux", "--cpu=arm64"]);
  return "absent" in found ? found : { command: [qemu, "-L", ARM64_LIBRARIES, ...found.command] };
}

/** A Node of tests/runtimes/engines, installed as locked when it is not there yet. */
function locked(folder, prefix, platform) {
  if (!existsSync(`${folder}/node_modules`)) {
    const { status } = spawnSync("npm", ["ci", "--prefix", folder, ...platform], { shell: process.platform === "win32" });
    if (status !== 0) return { absent: "npm ci --prefix tests/runtimes/engines failed" };
  }
  const name = existsSync(`${folder}/node_modules`) ? readdirSync(`${folder}/node_modules`).find((entry) => entry.startsWith(prefix)) : undefined;
  if (name === undefined) return { absent: `tests/runtimes/engines has no ${prefix}* for ${process.platform}-${process.arch}` };
  return { command: [`${folder}/node_modules/${name}/bin/node`] };
}

/** Runs a script from the package's folder and gives its standard output; what it wrote to the other is in the error. */
export function runScript({ command }, script, args, options = {}) {
  const [file, ...rest] = [...command, script, ...args];
  return execFileSync(file, rest, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 24, ...options });
}

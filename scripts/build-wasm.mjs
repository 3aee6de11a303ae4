// Compiles the kernel modules: asconfig.json's targets into build/wasm/*.wasm.
//
//   node scripts/build-wasm.mjs [--force] [target…]        default: all but the bench's own ceilings
//
// A target whose sources, options, compiler and output have not changed since the last build is skipped.
// A shipped module (fixed, relaxed, train-fixed, train-relaxed) must import `env.memory` and nothing else, and its constants must lie below the
// host's arena, or the build fails: both are promises the loader relies on.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "build/wasm/inputs.json");

/** Where the host's arena begins. All shipped modules' constants fit below it, each from its own memoryBase, so that they may share one memory. */
const ARENA_BASE = 65536;
const TARGETS = {
  fixed: { entry: "assembly/fixed.ts", shipped: true, base: 1024, end: 16384 },
  "train-fixed": { entry: "assembly/train.ts", shipped: true, base: 16384, end: 32768 },
  relaxed: { entry: "assembly/relaxed.ts", shipped: true, base: 32768, end: 49152 },
  "train-relaxed": { entry: "assembly/train.ts", shipped: true, base: 49152, end: ARENA_BASE },
  "ceiling-fixed": { entry: "assembly/bench/ceiling.ts", shipped: false },
  "ceiling-relaxed": { entry: "assembly/bench/ceiling.ts", shipped: false },
  reference: { entry: "assembly/reference.ts", shipped: false, transform: "./scripts/as-bind-transform.mjs" },
};
const DEFAULT_TARGETS = ["fixed", "relaxed", "train-fixed", "train-relaxed", "reference"];

function fail(message) {
  console.error(`build-wasm: ${message}`);
  process.exit(1);
}

/** One digest over everything that decides the bytes of the modules. */
function inputsDigest() {
  const hash = createHash("sha256");
  const sources = readdirSync(join(root, "assembly"), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => join("assembly", name));
  const inputs = [...sources, "asconfig.json", "scripts/build-wasm.mjs", "scripts/as-bind-transform.mjs"];
  for (const name of [...inputs, "node_modules/assemblyscript/package.json"]) {
    hash.update(`${name}\0`).update(readFileSync(join(root, name))).update("\0");
  }
  return hash.digest("hex");
}

/** Reads one LEB128 number; `read` is the position, advanced past it. */
function leb(bytes, read) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[read.at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
}

/** The module's sections: id and where its contents lie. */
function sections(bytes) {
  const read = { at: 8 };
  const found = [];
  while (read.at < bytes.length) {
    const id = bytes[read.at++];
    const size = leb(bytes, read);
    found.push({ id, at: read.at, end: read.at + size });
    read.at += size;
  }
  return found;
}

/** [start, end) of every active data segment of the section at `at`; their offsets are constants. */
function dataSegments(bytes, at) {
  const read = { at };
  const segments = [];
  for (let count = leb(bytes, read); count > 0; count--) {
    if (leb(bytes, read) !== 0 || bytes[read.at++] !== 0x41) throw new Error("data segment without a constant offset");
    const start = leb(bytes, read); // i32.const is signed; an offset this small reads the same
    if (bytes[read.at++] !== 0x0b) throw new Error("data segment without a constant offset");
    const size = leb(bytes, read);
    segments.push([start, start + size]);
    read.at += size;
  }
  return segments;
}

/** Section ids a kernel module may have: custom, type, import, function, export, code, data, data count. */
const KERNEL_SECTIONS = new Set([0, 1, 2, 3, 7, 10, 11, 12]);
/** One import: "env" "memory", a memory of at least 1 page without a maximum. The loosest there is: any unshared memory matches. */
const IMPORT_SECTION = "\x01\x03env\x06memory\x02\x00\x01";

/** Read from the bytes, not from a WebAssembly.Module: the Node that builds may not know relaxed SIMD. */
function checkShipped(name, bytes, { base, end }) {
  for (const { id, at, end: sectionEnd } of sections(bytes)) {
    if (!KERNEL_SECTIONS.has(id)) fail(`${name}.wasm has a section ${id} (6 = globals, 8 = start): a kernel allocates, for instance by an array literal`);
    if (id === 2) {
      const found = Buffer.from(bytes.subarray(at, sectionEnd)).toString("latin1");
      if (found !== IMPORT_SECTION) fail(`${name}.wasm must import env.memory (1 page, no maximum) and nothing else, found ${JSON.stringify(found)}`);
    }
    if (id === 11) {
      for (const [from, to] of dataSegments(bytes, at)) {
        if (from < base || to > end) fail(`${name}.wasm has constants at ${from}..${to}, outside its ${base}..${end}; the host's arena begins at ${ARENA_BASE}`);
      }
    }
  }
}

async function compile(asc, name) {
  const target = TARGETS[name];
  const files = new Map();
  const options = ["--config", "asconfig.json", "--target", name];
  if (target.transform !== undefined) options.push("--transform", target.transform); // asconfig.json would drop the "./"
  const { error, stderr } = await asc.main([target.entry, ...options], { writeFile: (file, contents) => files.set(file, contents) });
  if (error !== null) fail(`asc could not compile target "${name}" (${target.entry}):\n${stderr.toString()}\n${error.message}`);
  process.stderr.write(stderr.toString()); // warnings
  const bytes = files.get(`build/wasm/${name}.wasm`);
  if (bytes === undefined) fail(`asc wrote no build/wasm/${name}.wasm`);
  if (target.shipped) checkShipped(name, bytes, target);
  return bytes;
}

async function main() {
  const args = process.argv.slice(2);
  const force = args.includes("--force");
  const named = args.filter((arg) => !arg.startsWith("-"));
  const unknown = named.find((name) => !Object.hasOwn(TARGETS, name));
  if (unknown !== undefined) fail(`no target "${unknown}"; there are ${Object.keys(TARGETS).join(", ")}`);

  const digest = inputsDigest();
  const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, "utf8")) : {};
  const fresh = (name) => stamps[name] === digest && existsSync(join(root, `build/wasm/${name}.wasm`));
  const stale = (named.length > 0 ? named : DEFAULT_TARGETS).filter((name) => force || !fresh(name));
  if (stale.length === 0) return;

  process.chdir(root); // asc resolves --config and --transform against the working directory
  const { default: asc } = await import("assemblyscript/asc");
  mkdirSync(join(root, "build/wasm"), { recursive: true });
  for (const name of stale) {
    const bytes = await compile(asc, name);
    writeFileSync(join(root, `build/wasm/${name}.wasm`), bytes);
    stamps[name] = digest;
    writeFileSync(stampFile, JSON.stringify(stamps));
    console.log(`build/wasm/${name}.wasm  ${bytes.length} bytes`);
  }
}

await main();

// Loaded before the program by `--import` (tests/cli/end-at.ts): counts the calls by which a thread of it changes the file system, and sends it
// a signal right before one of them. A kill then comes between any two changes that a test names, on a machine of any speed.
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const { signal, at, call, count } = JSON.parse(process.env.ROOTSTOCK_END_AT);

const CALLS = ["chmod", "mkdir", "mkdtemp", "rename", "rm", "rmdir", "writeFile"];
const DESCRIPTOR_CALLS = ["write", "fsync"];
const HANDLE_CALLS = ["write", "writeFile", "truncate", "sync", "datasync"];

let calls = 0;

/** @param half writes half of what the call would: a process may be ended in the middle of it */
function counted(name, half = () => undefined) {
  if (call !== undefined && call !== name) return;
  if (++calls !== at) return;
  if (signal === "SIGKILL") half();
  process.kill(process.pid, signal);
}

const isForWriting = (flags) => typeof flags === "string" && flags !== "r";

function wrap(owner, method, before) {
  const own = owner[method];
  owner[method] = function (...args) {
    before.call(this, args);
    return own.apply(this, args);
  };
}

const { writeSync } = fs;
const handle = await promises.open(process.execPath);
const FileHandle = Object.getPrototypeOf(handle);
await handle.close();
for (const name of CALLS) {
  wrap(promises, name, () => counted(name));
  wrap(fs, `${name}Sync`, () => counted(name));
}
wrap(promises, "open", ([, flags]) => void (isForWriting(flags) && counted("open")));
wrap(fs, "openSync", ([, flags]) => void (isForWriting(flags) && counted("open")));
for (const name of DESCRIPTOR_CALLS) {
  wrap(fs, `${name}Sync`, ([descriptor, data, offset = 0]) => {
    // Standard output and error are no files of a run.
    if (descriptor > 2) counted(name, () => name === "write" && writeSync(descriptor, data, offset, (data.length - offset) >> 1));
  });
}
for (const name of HANDLE_CALLS) {
  wrap(FileHandle, name, function ([data, offset = 0, length, position]) {
    counted(name, () => {
      if (name === "write") writeSync(this.fd, data, offset, (length ?? data.length - offset) >> 1, position);
      if (name === "writeFile") writeSync(this.fd, Buffer.from(data).subarray(0, data.length >> 1));
    });
  });
}
syncBuiltinESMExports();
// Peers and workers of the program have this module, and a count, of their own.
if (count !== undefined && isMainThread) process.on("exit", () => fs.appendFileSync(count, `${calls}\n`));

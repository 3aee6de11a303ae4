// A lock between processes: a file that only one can make, with its maker's process id. It is held for the time of one write.
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";

/** A write takes milliseconds; whoever holds a lock as long as this does not write. */
const [LONGEST_WAIT_MS, PAUSE_MS] = [20_000, 20];

/** Does `work` while no other process that asks for the lock does its own. */
export function withLock(path, work) {
  take(path);
  try {
    return work();
  } finally {
    unlinkSync(path);
  }
}

function take(path) {
  const last = Date.now() + LONGEST_WAIT_MS;
  while (!make(path)) {
    const holder = read(path);
    if (holder !== "" && holder !== null && !isAlive(Number(holder))) remove(path, holder);
    else if (Date.now() > last) throw new Error(`${path} is held by process ${holder || "?"}; remove it if that does not run`);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function make(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** The holder's process id; "" where it is not written yet, null where the lock is gone. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Takes a dead process's lock away. Another may have done so and made its own since: that one is put back. */
function remove(path, holder) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== holder) linkSync(aside, path);
  unlinkSync(aside);
}

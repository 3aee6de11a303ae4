// Peak resident memory of the process that shows a page, from /proc (Linux).
import { readdirSync, readFileSync } from "node:fs";

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // gone meanwhile
  }
}

/** Process ids of `root` and all below it. */
function family(root) {
  const parents = new Map(readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => [pid, /\) \S (\d+)/.exec(read(pid, "stat"))?.[1]]));
  const members = new Set([String(root)]);
  for (let size = 0; size < members.size; ) {
    size = members.size;
    for (const [pid, parent] of parents) if (members.has(parent)) members.add(pid);
  }
  return [...members];
}

/** Page processes below `root`: process id → bytes of its highest resident memory so far (VmHWM). */
export function peaksOfPages(root) {
  const pages = family(root).filter((pid) => /--type=renderer|-contentproc.*\btab\b/.test(read(pid, "cmdline").replaceAll("\0", " ")));
  return new Map(pages.map((pid) => [pid, Number(/VmHWM:\s+(\d+) kB/.exec(read(pid, "status"))?.[1] ?? 0) * 1024]));
}

/** Seconds that a process has worked, all its threads together: a busy machine makes it wait, and not work more. */
export function workOf(pid) {
  const [user, system] = read(pid, "stat").split(") ")[1].split(" ").slice(11, 13);
  return (Number(user) + Number(system)) / 100; // of Linux's clock ticks, 100 a second
}

// Jobs over processes: each takes the next when it is done with one.
import { fork } from "node:child_process";

/**
 * @param {object[]} jobs in the order they are begun
 * @param {number} workers processes
 * @param {(job: object, cell: object) => void} onCell
 * @throws the first error of a job, or of a process that ended; no further job is begun then
 */
export async function runJobs(jobs, workers, onCell) {
  const left = [...jobs];
  let failure = null;
  const work = async () => {
    const child = fork(new URL("worker.mjs", import.meta.url));
    try {
      while (left.length > 0 && failure === null) await one(child, left.shift(), onCell);
    } catch (error) {
      failure ??= error;
    } finally {
      if (child.connected) child.disconnect();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, work));
  if (failure !== null) throw failure;
}

function one(child, job, onCell) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      child.off("message", hear);
      child.off("exit", lost);
      settle(value);
    };
    const hear = ({ cell, error, done }) => {
      if (cell !== undefined) onCell(job, cell);
      if (error !== undefined) end(reject, new Error(error));
      if (done === true) end(resolve);
    };
    const lost = (code, signal) => end(reject, new Error(`a worker ended before its job was done (${signal ?? code})`));
    child.on("message", hear);
    child.on("exit", lost);
    child.send(job);
  });
}

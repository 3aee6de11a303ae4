// Loaded before the pool's own worker: takes one kind of message away from it and goes wrong instead.
import { parentPort, workerData } from "node:worker_threads";

const WAYS = {
  exit: () => process.exit(3),
  throw: () => { throw new Error("thrown in the worker"); }, // prettier-ignore
  rejection: () => void Promise.reject(new Error("rejected in the worker")),
  garbage: () => parentPort.postMessage("no message of the pool's"),
};

/** The worker's own refusal: it is asked for a name that is none. */
const refuses = ({ m: method, a: args }) => workerData.how === "refuse" && method === "addAdapter" && (args[1] === workerData.at || args[3][workerData.at] === true);

const listen = parentPort.on.bind(parentPort);
parentPort.on = (event, listener) =>
  listen(event, (message) => {
    const { m: method, a: args } = message;
    if (refuses(message)) listener({ ...message, a: [args[0], "No Name", ...args.slice(2)] });
    else if (method === workerData.at || (method === "call" && args[1] === workerData.at)) WAYS[workerData.how]();
    else listener(message);
  });

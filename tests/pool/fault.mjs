// Loaded before the pool's own worker: takes one kind of message away from it and goes wrong instead.
import { parentPort, workerData } from "node:worker_threads";

const WAYS = {
  exit: () => process.exit(3),
  throw: () => { throw new Error("thrown in the worker"); }, // prettier-ignore
  rejection: () => void Promise.reject(new Error("rejected in the worker")),
  garbage: () => parentPort.postMessage("no message of the pool's"),
};

const { Instance, Module } = WebAssembly;
/** (func unreachable), exported as "f". */
const TRAP = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11);

/** The next call of a kernel traps, once; by "damage" everything behind the kernels' constants is overwritten before. */
let isArmed = false;
let wasArmed = false;

WebAssembly.Instance = new Proxy(Instance, {
  construct(Own, [module, imports]) {
    const { exports } = new Own(module, imports);
    const armed = ([name, kernel]) => [name, (...args) => (isArmed ? trap(imports.env.memory) : kernel(...args))];
    return { exports: Object.fromEntries(Object.entries(exports).map(armed)) };
  },
});

function trap(memory) {
  isArmed = false;
  if (workerData.how === "damage") new Uint8Array(memory.buffer).fill(0x7f, 65_536);
  new Instance(new Module(TRAP)).exports.f();
}

/** The worker's own refusal: it is asked for a name that is none. */
const refuses = ({ m: method, a: args }) => workerData.how === "refuse" && method === "addAdapter" && (args[1] === workerData.at || args[3][workerData.at] === true);

const listen = parentPort.on.bind(parentPort);
parentPort.on = (event, listener) =>
  listen(event, (message) => {
    const { t: kind, m: method, a: args } = message;
    const isAt = method === workerData.at || (method === "call" && args[1] === workerData.at) || (kind === "s" && workerData.at === "answer");
    if (isAt && !wasArmed && (workerData.how === "trap" || workerData.how === "damage")) isArmed = wasArmed = true;
    if (refuses(message)) listener({ ...message, a: [args[0], "No Name", ...args.slice(2)] });
    else if (isAt && workerData.how in WAYS) WAYS[workerData.how]();
    else listener(message);
  });

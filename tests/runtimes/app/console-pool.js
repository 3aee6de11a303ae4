import { loadPool } from "rootstock/pool";
import fixed from "rootstock/fixed.wasm";
import relaxed from "rootstock/relaxed.wasm";
import { runTasks } from "./tasks.js";

console.log(JSON.stringify(await runTasks(loadPool, "node_modules/rootstock/models", { wasm: { fixed, relaxed }, workers: 2 })));

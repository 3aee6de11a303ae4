import { loadEncoder } from "rootstock/inline";
import { runTasks } from "./tasks.js";

console.log(JSON.stringify(await runTasks(loadEncoder, "node_modules/rootstock/models")));

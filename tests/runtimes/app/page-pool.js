import { loadPool } from "rootstock/pool";
import { runTasks } from "./tasks.js";

globalThis.answer = runTasks(loadPool, `${location.origin}/models`, { workers: 2 });

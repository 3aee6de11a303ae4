import { loadEncoder } from "rootstock/inline";
import { runTasks } from "./tasks.js";

globalThis.answer = runTasks(loadEncoder, `${location.origin}/models`);

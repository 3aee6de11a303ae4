import { loadEncoder } from "rootstock";
import { runTasks } from "./tasks.js";

globalThis.answer = runTasks(loadEncoder, `${location.origin}/models`);

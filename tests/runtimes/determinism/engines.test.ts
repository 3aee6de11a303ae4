import { ENGINES } from "../engines.mjs";
import { describeEngines } from "./in-engine.ts";

describeEngines(ENGINES.filter((name) => name !== "arm64"));

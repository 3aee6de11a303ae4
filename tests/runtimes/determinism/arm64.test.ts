import { describeEngines } from "./in-engine.ts";

// A file of its own: an emulated processor takes as long as several engines.
describeEngines(["arm64"]);

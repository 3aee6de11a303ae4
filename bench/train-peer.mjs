// One of several workers of bench/train.mjs.
import { runPeer } from "../dist/train/parallel/peer.js";
import { measure } from "./train-step.mjs";

runPeer(measure);

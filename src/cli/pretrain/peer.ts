/** What runs in a worker of `rootstock pretrain --workers`: the whole run, but for the passes that others compute. */
import { runPeer } from "../../train/parallel/peer.ts";
import type { PretrainConfig } from "./config.ts";
import { runConfig } from "./run.ts";

runPeer((peers, config, { post, signal }) => runConfig(config as PretrainConfig, { peers, signal, onProgress: post }));

/** What runs in a worker of `rootstock pretrain --workers`: the whole run, but for the passes that others compute. */
import { runPeer } from "../../train/parallel/peer.ts";
import type { PretrainConfig } from "./config.ts";
import { runConfig } from "./run.ts";

runPeer<PretrainConfig>((peers, config, { post, signal }) => runConfig(config, { peers, signal, onProgress: post }));

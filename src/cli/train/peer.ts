/** What runs in a worker of `rootstock train --workers`: the whole training, but for the passes that others compute. */
import { loadEncoder } from "../../index.ts";
import { runPeer } from "../../train/parallel/peer.ts";
import { runJob, type TrainJob } from "./run.ts";

runPeer<TrainJob>(async (peers, job, { post, signal }) => runJob(job, await loadEncoder(job.encoder, { signal }), { peers, signal, onProgress: post }));

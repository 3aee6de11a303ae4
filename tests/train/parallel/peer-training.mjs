import { runPeer } from "../../../dist/train/parallel/peer.js";
import { train } from "./training.mjs";

runPeer(async (peers, mode, { post }) => {
  const trained = await train(peers, mode);
  post(trained.hash);
  return trained;
});

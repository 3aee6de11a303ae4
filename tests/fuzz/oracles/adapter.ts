import type { Encoder } from "../../../src/index.ts";
import type { Files } from "../micro.ts";
import { checkFinite, verdict, type Verdict } from "./verdict.ts";

const TASK = "stranger";
const IDS = [2, 5, 9, 3];

/** Adds an adapter folder to an encoder that is in use and runs it, for finite results; takes it away again. */
export async function judgeAdapter(encoder: Encoder, files: Files, labels?: readonly string[]): Promise<Verdict> {
  const answer = await verdict(async () => {
    await encoder.addAdapter(TASK, files, { replace: true, ...(labels === undefined ? {} : { labels }) });
    const isHeadless = encoder.info.tasks.find(({ name }) => name === TASK)!.kind === null;
    checkFinite(isHeadless ? await encoder.forward(IDS, TASK) : await encoder.logits(IDS, TASK), "result");
  });
  if (encoder.info.tasks.some(({ name }) => name === TASK)) await encoder.removeAdapter(TASK);
  return answer;
}

// A dedicated worker or a service worker of the tests: one job a message, its answer on the port that came along.
import { answer, type Job } from "./answer.ts";

interface Lasting extends MessageEvent {
  readonly waitUntil?: (work: Promise<unknown>) => void;
}

self.addEventListener("message", (event: Lasting) => {
  const work = answer(event.data as Job).then((result) => event.ports[0]!.postMessage(result));
  event.waitUntil?.(work);
});

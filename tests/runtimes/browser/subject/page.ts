// The page of the tests: answers itself, or hands the job to a worker or a service worker.
import { answer, type Answer, type Job } from "./answer.ts";

export type Place = "page" | "worker" | "service worker" | "module service worker";

const places: Record<Place, (job: Job) => Promise<Answer>> = {
  page: answer,
  async worker(job) {
    const worker = new Worker("/dist/subject/worker.js", { type: "module" });
    try {
      return await ask(job, (port) => worker.postMessage(job, [port]), worker);
    } finally {
      worker.terminate();
    }
  },
  "service worker": (job) => askService("/service-worker.js", "classic", job),
  "module service worker": (job) => askService("/dist/subject/worker.js", "module", job),
};

async function askService(script: string, type: WorkerType, job: Job): Promise<Answer> {
  const registration = await navigator.serviceWorker.register(script, { type });
  const worker = (registration.installing ?? registration.waiting ?? registration.active)!;
  try {
    await new Promise<void>((resolve) => {
      if (worker.state === "activated") resolve();
      worker.addEventListener("statechange", () => worker.state === "activated" && resolve());
    });
    return await ask(job, (port) => worker.postMessage(job, [port]), worker);
  } finally {
    await registration.unregister();
  }
}

function ask(_job: Job, post: (port: MessagePort) => void, worker: AbstractWorker): Promise<Answer> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) => resolve(data as Answer);
    worker.onerror = (event) => reject(new Error(`worker: ${event.message}`));
    post(port2);
  });
}

(globalThis as unknown as { subject: unknown }).subject = (place: Place, job: Job) => places[place](job);

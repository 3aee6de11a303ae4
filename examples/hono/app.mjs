// POST /run with {"text": "…", "tasks": ["people", "intent"]}; the answer has an entry a task. GET /tasks lists them.
// The app knows no server: it runs wherever Hono does.
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { RootstockError } from "rootstock";

/** Statuses of what a request can get wrong; any other error is the server's own. */
const STATUS = new Map([
  ["argument-invalid", 400],
  ["task-invalid", 400],
  ["text-empty", 400],
  ["task-unknown", 404],
  ["text-too-long", 413],
  ["queue-full", 503],
]);

export function createApp(encoder) {
  const app = new Hono();
  app.get("/tasks", (c) => c.json(encoder.info.tasks.map(({ name, kind, labels }) => ({ name, kind, labels }))));
  app.post("/run", bodyLimit({ maxSize: 1 << 20 }), async (c) => {
    const { text, tasks } = await readBody(c.req);
    // A client that goes away ends its run.
    return c.json(await encoder.run(text, tasks, { signal: c.req.raw.signal }));
  });
  app.onError((error, c) => {
    if (c.req.raw.signal.aborted) return c.body(null, 499);
    const status = error instanceof RootstockError ? STATUS.get(error.code) : error.status;
    if (status === undefined) console.error(error);
    const { code, message } = status === undefined ? { code: "internal", message: "something went wrong here." } : error;
    return c.json({ error: { code: code ?? "request", message } }, status ?? 500);
  });
  return app;
}

async function readBody(request) {
  try {
    const { text, tasks } = await request.json();
    return { text, tasks };
  } catch {
    throw new RootstockError("argument-invalid", 'send JSON: {"text": "…", "tasks": ["…"]}.');
  }
}

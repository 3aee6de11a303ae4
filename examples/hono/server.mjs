// Hono on Node. PORT=0 takes a free port; the line that is printed says which.
//   node examples/hono/server.mjs
//   curl localhost:3000/run -H 'content-type: application/json' -d '{"text":"I lost my card in Lisbon","tasks":["people","intent"]}'
import process from "node:process";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { loadEncoder } from "rootstock";
import { createApp } from "./app.mjs";

const models = fileURLToPath(new URL("../../models", import.meta.url));
const encoder = await loadEncoder(`${models}/mtpf-minilm-l6`);
await encoder.addAdapter("people", `${models}/adapters/wikigold`);
await encoder.addAdapter("intent", `${models}/adapters/banking77`);

const options = { fetch: createApp(encoder).fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 3000) };
const server = serve(options, ({ port }) => console.log(`listening on http://127.0.0.1:${port}`));

// Requests under way are answered before the process ends.
process.once("SIGTERM", () => server.close(() => encoder.dispose()));

// The determinism case over requests, one product a worker: each brings the next texts, and the last gets the hashes.
//   GET: starts nothing; POST {"kernel", "from", "to", "isLast"}
import { assetSource, loadEncoder } from "../../../dist/workerd.js";
import { openProduct } from "../determinism/case.mjs";
import texts from "../determinism/texts.json";

let opening; // one run for all requests of the isolate

export default {
  async fetch(request, { ASSETS }) {
    if (request.method === "GET") return new Response("ready");
    const { kernel, from, to, isLast } = await request.json();
    opening ??= openProduct({ loadEncoder, source: (folder) => assetSource(ASSETS, `/${folder}`), load: { kernel } });
    const run = await opening;
    await run?.add(texts.slice(from, to));
    return Response.json(isLast ? ((await run?.end()) ?? null) : null);
  },
};

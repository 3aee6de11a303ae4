import { assetSource, loadEncoder } from "rootstock/workerd";

let loading; // one encoder for all requests of an isolate

async function load(assets) {
  const encoder = await loadEncoder(assetSource(assets, "/mtpf-minilm-l6"), { adapterBudget: 8 << 20 });
  await encoder.addAdapter("people", assetSource(assets, "/wikigold"));
  await encoder.addAdapter("intent", assetSource(assets, "/banking77"));
  return encoder;
}

function encoderOf({ ASSETS }) {
  loading ??= load(ASSETS).catch((error) => {
    loading = undefined; // the next request tries again
    throw error;
  });
  return loading;
}

export default {
  /** POST a text: its people, places and intent. GET: what is loaded. */
  async fetch(request, env, context) {
    const wait = encoderOf(env);
    context.waitUntil(wait.catch(() => undefined)); // goes on for others when this client leaves
    const encoder = await wait;
    if (request.method === "GET") return Response.json(encoder.info);
    try {
      return Response.json(await encoder.run(await request.text(), ["people", "intent"]));
    } catch (error) {
      return Response.json({ code: error.code, message: error.message }, { status: error.code === undefined ? 500 : 400 });
    }
  },
};

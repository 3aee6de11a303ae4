import * as core from "rootstock";
import * as workerd from "rootstock/workerd";

const { assetSource, loadEncoder } = workerd;

async function codeOf(attempt) {
  try {
    await attempt;
    return "none";
  } catch (error) {
    return error.code ?? String(error);
  }
}

/** What can be seen only from inside a worker. */
export default {
  async fetch(_request, { ASSETS }) {
    const states = {};
    for (const kernel of ["fixed", "rel1", "rel2"]) {
      const encoder = await loadEncoder(assetSource(ASSETS, "/mtpf-minilm-l6"), { kernel });
      const [row] = await encoder.embed(["the same bits"]);
      states[kernel] = Array.from(row);
    }
    return Response.json({
      sameEntry: core.loadEncoder === loadEncoder,
      missing: await codeOf(loadEncoder(assetSource(ASSETS, "/nowhere"))),
      aborted: await codeOf(loadEncoder(assetSource(ASSETS, "mtpf-minilm-l6/"), { signal: AbortSignal.abort({ code: "enough" }) })),
      states,
    });
  },
};

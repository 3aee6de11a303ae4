import { Encoder } from "rootstock";
import { pipeline } from "rootstock/transformers";
import { assetSource } from "rootstock/workerd";

/** Pipelines of a worker, over one encoder from its static assets. POST a text. */
export default {
  async fetch(request, { ASSETS }) {
    const text = await request.text();
    const ner = await pipeline("ner", assetSource(ASSETS, "/mtpf-minilm-l6"), { adapter: assetSource(ASSETS, "/wikigold") });
    const features = await pipeline("feature-extraction", ner);
    const answer = {
      sameClass: ner.encoder instanceof Encoder,
      entities: await ner(text, { aggregation_strategy: "simple" }),
      vector: (await features(text, { pooling: "mean", normalize: true })).tolist()[0],
    };
    await ner.dispose();
    await features.dispose();
    return Response.json(answer);
  },
};

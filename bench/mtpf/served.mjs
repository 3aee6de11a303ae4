// What an adapter with a head gives for rows, by the calls that `rootstock eval` makes.
import { wordEnds, wordTags } from "../../dist/cli/word-tags.js";
import { MAX_TOKENS } from "./features.mjs";

/** Texts of a call. */
const BATCH = 128;

/** @returns {Promise<(string[] | string)[]>} tags of each row's words, or its likeliest label */
export async function servedPredictions(encoder, name, { kind }, rows, maxTokens = MAX_TOKENS) {
  const out = [];
  const options = { maxTokens, overflow: "truncate", aggregation: "none", ignoreLabels: [] };
  for (let first = 0; first < rows.length; first += BATCH) {
    const part = rows.slice(first, first + BATCH);
    const requests = part.map(({ text, tokens }) => (kind === "ner" ? { tokens, tasks: [name] } : { text, tasks: [name] }));
    const results = await encoder.runBatch(requests, options);
    results.forEach(({ [name]: result }, i) => out.push(kind === "ner" ? wordTags(wordEnds(part[i].tokens), result) : result[0].label));
  }
  return out;
}

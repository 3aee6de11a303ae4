// Frozen features, by the int8 encoder as it is served: a word's first sub-token (NER) or the text's mean (text classification).

/** Tokens that are read of a text: 99 % of the texts of every task have fewer (dbpedia14's, the longest: p95 108, p99 125). */
export const MAX_TOKENS = 128;
/** Calls under way at once; the encoder makes passes of them. */
const AT_ONCE = 128;

/**
 * @param encoder Encoder of rootstock
 * @param {string | null} adapter name of the family's adapter there
 * @param {object[]} rows
 * @returns {Promise<{ features: Float32Array, labels: Int32Array, starts: Int32Array, places: Int32Array }>} one feature row a text, or one a word that has tokens; `starts[i]` is the first feature row of text i
 *   (one more than there are texts), `places` the word that a feature row stands for
 */
export async function featuresOf(encoder, adapter, { kind, classes }, rows) {
  const classOf = new Map(classes.map((name, index) => [name, index]));
  return kind === "tc" ? textFeatures(encoder, adapter, classOf, rows) : wordFeatures(encoder, adapter, classOf, rows);
}

async function textFeatures(encoder, adapter, classOf, rows) {
  const vectors = await encoder.embed(rows.map(({ text }) => text), { task: adapter, maxTokens: MAX_TOKENS, overflow: "truncate" });
  const width = encoder.info.hidden;
  const features = new Float32Array(rows.length * width);
  vectors.forEach((vector, row) => features.set(vector, row * width));
  return {
    features, labels: Int32Array.from(rows, ({ label }) => classOf.get(label)),
    starts: Int32Array.from({ length: rows.length + 1 }, (_, row) => row), places: new Int32Array(rows.length),
  };
}

async function wordFeatures(encoder, adapter, classOf, rows) {
  const width = encoder.info.hidden;
  const { tokenizer } = encoder.loaded;
  const texts = rows.map(({ tokens }) => firstTokens(tokens, tokenizer.encodeWords(tokens, { maxTokens: MAX_TOKENS })));
  const starts = new Int32Array(rows.length + 1);
  texts.forEach(({ words }, text) => (starts[text + 1] = starts[text] + words.length));
  const count = starts[rows.length];
  const out = { features: new Float32Array(count * width), labels: new Int32Array(count), starts, places: new Int32Array(count) };
  for (let first = 0; first < texts.length; first += AT_ONCE) {
    await Promise.all(texts.slice(first, first + AT_ONCE).map(async ({ ids, words, tokens }, i) => {
      const text = first + i;
      const state = await encoder.forward(ids, adapter);
      words.forEach((word, j) => {
        const row = starts[text] + j;
        out.features.set(state.subarray(tokens[j] * width, (tokens[j] + 1) * width), row * width);
        out.labels[row] = classOf.get(rows[text].tags[word]);
        out.places[row] = word;
      });
    }));
  }
  return out;
}

/** The given words that have tokens, and the first of each. */
function firstTokens(given, { ids, words }) {
  const found = { ids, words: [], tokens: [] };
  let word = 0;
  let end = given[0].length;
  for (const { start, firstToken } of words) {
    while (start >= end && word < given.length - 1) end += 1 + given[++word].length;
    if (firstToken < 0 || found.words.at(-1) === word) continue;
    found.words.push(word);
    found.tokens.push(firstToken);
  }
  return found;
}

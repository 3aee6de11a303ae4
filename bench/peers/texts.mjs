// Texts of exact token counts, from real ones, the same in every run.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Tokenizer } from "@huggingface/tokenizers";

/** Token counts, special tokens included, of the ragged batch: 1,066 in all, 1,920 when padded to 60. */
export const RAGGED = [
  60, 5, 37, 17, 26, 6, 30, 11, 53, 60, 52, 32, 40, 53, 38, 10, 12, 58, 56, 54, 35, 15, 35, 19, 57, 51, 13, 51, 31, 8, 6, 35,
];

/** Words enough for the largest batch; the rest of a long file is not read. */
const WORDS = 20_000;

export const sum = (numbers) => numbers.reduce((total, value) => total + value, 0);

/**
 * Cuts a stream of words into texts. `take(counts)` gives, for each count, `{ text, ids }` with exactly that many ids.
 *
 * @param file texts, one a line, as they are or as objects with `text`; .gz is read too
 * @param encoderFolder its tokenizer.json counts. The tokens come of the public tokenizer library, so that the ids which
 *   peers read are no product of ours; `tasks.mjs` checks that Rootstock sees as many.
 */
export function openTexts(file, encoderFolder) {
  const read = (name) => JSON.parse(readFileSync(`${encoderFolder}/${name}`, "utf8"));
  const tokenizer = new Tokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
  const encode = (text) => tokenizer.encode(text).ids;
  const words = readWords(file, (word) => encode(word).length - 2);
  let next = 0;
  const take = (counts) => counts.map((count) => {
    const text = cut(count - 2);
    const ids = encode(text);
    if (ids.length !== count) throw new Error(`a text of ${count} tokens came out with ${ids.length}: ${text}`);
    return { text, ids };
  });

  /** The next words that fit; the last place goes to the next word of the size that is left. */
  function cut(tokens) {
    const taken = [];
    for (let left = tokens; left > 0; ) {
      let index = next;
      while (words[index % words.length].tokens > left) index++;
      const { word, tokens: size } = words[index % words.length];
      taken.push(word);
      left -= size;
      next = (index + 1) % words.length;
    }
    return taken.join(" ");
  }
  return { take };
}

/** Words of ASCII letters: joined by spaces, each keeps the tokens that it has alone. */
function readWords(file, count) {
  const bytes = readFileSync(file);
  const lines = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").split("\n");
  const words = [];
  for (const line of lines) {
    if (line === "") continue;
    const text = line.startsWith("{") ? JSON.parse(line).text : line;
    if (typeof text !== "string") continue;
    for (const word of text.match(/(?<!\S)[A-Za-z]+(?!\S)/g) ?? []) words.push({ word, tokens: count(word) });
    if (words.length >= WORDS) break;
  }
  if (!words.some(({ tokens }) => tokens === 1)) throw new Error(`${file} has no word of one token.`);
  return words;
}

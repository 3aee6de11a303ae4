// Prints texts for `rootstock convert --calibrate`, one JSON object a line: the same number of training texts of every
// task of a data folder (TASK/train.jsonl[.gz], tasks.json), by a fixed shuffle; texts of an embeddings file are left
// out, so that they can judge the result.
//   node scripts/calibration-texts.mjs DATA PER-TASK [EMBEDDINGS.json.gz]
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const [data, perTask, judged] = process.argv.slice(2);
if (data === undefined || !(Number(perTask) > 0)) {
  console.error("usage: node scripts/calibration-texts.mjs DATA PER-TASK [EMBEDDINGS.json.gz]");
  process.exit(2);
}
const normal = (text) => text.trim().toLowerCase();
const left = new Set(judged === undefined ? [] : JSON.parse(gunzipSync(readFileSync(judged))).examples.map(({ text }) => normal(text)));

let seed = 20_251_007;
function random() {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

function read(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : gunzipSync(readFileSync(`${path}.gz`)).toString();
}

for (const task of Object.keys(JSON.parse(readFileSync(`${data}/tasks.json`, "utf8"))).sort()) {
  const texts = read(`${data}/${task}/train.jsonl`).trim().split("\n").map((line) => JSON.parse(line).text);
  const kept = texts.filter((text) => !left.has(normal(text)));
  for (let i = 0; i < Math.min(Number(perTask), kept.length); i++) {
    const j = i + Math.floor(random() * (kept.length - i));
    [kept[i], kept[j]] = [kept[j], kept[i]];
    console.log(JSON.stringify({ text: kept[i] }));
  }
}

// A run of pre-finetuning as `rootstock pretrain` leaves it: RUNS/NAME/{encoder,ner,tc,history.json}. Its name is its regime, and its seed after a dash.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readConfig } from "../../dist/cli/pretrain/config.js";
import { convertEncoder } from "../../dist/convert/convert.js";
import { conflictOf } from "./conflict.mjs";
import { TABLE_CAPS, taskNames } from "./data.mjs";
import { MAX_TOKENS } from "./features.mjs";

/** The encoder as it comes: what every run began with. */
const SOURCE = "../shared/fixtures/encoder/all-MiniLM-L6-v2";
/** What ships, made by `rootstock pretrain bench/mtpf/shipped.json --seed 1 --workers 2`: converted already, so that its cells need no run. */
const SHIPPED = {
  name: "shipped-1", regime: "shipped", seed: 1, encoder: null, int8: "models/mtpf-minilm-l6",
  adapters: { ner: "models/families/ner", tc: "models/families/tc" },
};
/** Training texts of each task that the rounding is fitted to. */
const CALIBRATION_TEXTS = 25;

/** @returns what and where a run is: `int8` the folder that is served, `adapters` the family's adapter for NER and TC */
export function runOf(name, runs) {
  if (name === "none") return { name, regime: name, seed: null, folder: null, encoder: SOURCE, int8: `${runs}/none/int8`, adapters: { ner: null, tc: null } };
  const folder = `${runs}/${name}`;
  if (name === SHIPPED.name) return { ...SHIPPED, folder: madeAgain(folder) ? folder : null };
  if (!existsSync(`${folder}/encoder`)) throw new Error(`there is no run ${name}: ${folder}/encoder is missing (rootstock pretrain writes it)`);
  const [, regime, seed] = /^(.*?)(?:-(\d+))?$/.exec(name);
  const adapter = (family) => [family, "shared"].map((group) => `${folder}/${group}`).find((path) => existsSync(path)) ?? null;
  return {
    name, regime, seed: seed === undefined ? null : Number(seed), folder, encoder: `${folder}/encoder`, int8: `${folder}/int8`,
    adapters: { ner: adapter("ner"), tc: adapter("tc") },
  };
}

/** Is there the run that ships, made again to the same adapters? Then its history is that of what ships. */
function madeAgain(folder) {
  return existsSync(`${folder}/history.json`) && Object.entries(SHIPPED.adapters).every(([family, path]) => digest(`${folder}/${family}/adapter_model.safetensors`) === digest(`${path}/adapter_model.safetensors`));
}

/** Makes the encoder that is served, calibrated, unless it is there. Two minutes. */
export async function convertRun({ encoder, int8 }, data) {
  if (existsSync(int8)) return;
  const script = fileURLToPath(new URL("../../scripts/calibration-texts.mjs", import.meta.url));
  const lines = execFileSync(process.execPath, [script, data, String(CALIBRATION_TEXTS)], { encoding: "utf8", maxBuffer: 1 << 28 });
  const calibrate = lines.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).text);
  try {
    await convertEncoder(encoder, int8, { calibrate });
  } catch (error) {
    // Another process that makes cells of this run was done with it before: the same bytes.
    if (!existsSync(int8)) throw error;
  }
}

/** A run that bears the name of a configuration here was trained by its settings, all of them, and by the seed that it is named after. */
function checkSettings({ folder, regime, seed }, { settings }) {
  if (seed !== null && settings.seed !== seed) throw new Error(`${folder} was made with seed ${settings.seed}, not ${seed} as its name says`);
  const path = fileURLToPath(new URL(`${regime}.json`, import.meta.url));
  const asked = existsSync(path) ? readConfig(path, { seed: settings.seed }).settings : settings;
  const other = Object.keys(asked).find((name) => JSON.stringify(asked[name]) !== JSON.stringify(settings[name]));
  if (other !== undefined) throw new Error(`${folder} was made with ${other} ${JSON.stringify(settings[other])}, and bench/mtpf/${regime}.json asks for ${JSON.stringify(asked[other])}`);
}

/** What makes a run's figures what they are, and what it cost: the first line of its results. */
export function headerOf(run, data) {
  const { name, regime, seed, folder, int8, adapters } = run;
  const history = folder === null ? null : JSON.parse(readFileSync(`${folder}/history.json`, "utf8"));
  if (history !== null) checkSettings(run, history);
  return {
    run: name, regime, seed, int8: digest(`${int8}/model.safetensors`),
    adapters: Object.fromEntries(Object.entries(adapters).map(([family, path]) => [family, path && digest(`${path}/adapter_model.safetensors`)])),
    tasks: Object.fromEntries(taskNames(data)), caps: TABLE_CAPS, maxTokens: MAX_TOKENS,
    pretraining: history && {
      steps: history.settings.steps, lossWeights: history.settings.lossWeights, tokens: history.tokens, seconds: Math.round(history.seconds), module: history.build,
      conflict: conflictOf(history),
    },
  };
}

/** SHA-256 of a file. */
export function digest(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

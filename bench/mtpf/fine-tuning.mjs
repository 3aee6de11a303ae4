// Protocol "lora": the encoder frozen, an adapter and its head trained by `rootstock/train`, from the family's adapter where there is one.
import { trainAdapter } from "../../dist/finetune/index.js";
import { trainingRows } from "./data.mjs";
import { EVALUATIONS, FEWEST_EPOCHS, MOST_EPOCHS, RECIPE, RECIPE_DIGEST, SHAPE, UPDATES } from "./recipe.mjs";
import { outcomesOf, packOutcomes, score } from "./scores.mjs";
import { servedPredictions } from "./served.mjs";

/**
 * @param {string | null} from folder of the family's adapter
 * @param {{ share: number, subset: number | null }} cell
 */
export async function loraCell(encoder, from, task, { share, subset }) {
  const texts = trainingRows(task.train.length, share, subset);
  const rows = ({ text, tokens, tags, label }) => (task.kind === "ner" ? { tokens, tags } : { text, label });
  const perEpoch = Math.ceil(texts.length / RECIPE.batchSize);
  const epochs = Math.max(FEWEST_EPOCHS, Math.min(MOST_EPOCHS, Math.ceil(UPDATES / perEpoch)));
  const trained = await trainAdapter(
    encoder,
    { name: task.name, train: Array.from(texts, (text) => rows(task.train[text])), dev: task.dev.map(rows) },
    { ...RECIPE, ...(from === null ? SHAPE : { from }), epochs, evaluateEvery: Math.ceil((epochs * perEpoch) / EVALUATIONS) },
  );
  await encoder.addAdapter(task.name, trained);
  try {
    const predicted = await servedPredictions(encoder, task.name, task, task.test);
    const { metric, ...others } = score(task, task.test, predicted);
    const { best, settings, tokens } = trained.history;
    return {
      rows: texts.length, test: metric, ...others, dev: best.metric, step: best.step, steps: epochs * perEpoch, tokens, module: settings.module, recipe: RECIPE_DIGEST,
      outcomes: packOutcomes(outcomesOf(task, task.test, predicted)),
    };
  } finally {
    await encoder.removeAdapter(task.name);
  }
}

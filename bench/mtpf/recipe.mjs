// How adapters are fine-tuned under the protocol "lora", and a digest of it, which every cell bears: cells of two recipes are not compared.
import { createHash } from "node:crypto";
import { MAX_TOKENS } from "./features.mjs";

/** With no search: so a regime gets nothing that another does not. Without dropout, which costs where training is cut short. */
export const RECIPE = { learningRate: 2e-3, headLearningRate: 5e-3, batchSize: 16, dropout: 0, maxLength: MAX_TOKENS, seed: 1 };
/** An adapter from nothing; a family's adapter has this shape too. */
export const SHAPE = { method: "lora", rank: 8, alpha: 16, targets: "all-linear", layers: 3 };
/** Updates that a set gets at least, as far as 30 epochs go, and epochs that a large one gets: 250 of 400 rows, 750 of 4,000. */
export const [UPDATES, FEWEST_EPOCHS, MOST_EPOCHS] = [250, 3, 30];
/** Times that dev is looked at. */
export const EVALUATIONS = 4;

export const RECIPE_DIGEST = recipeDigest({ RECIPE, SHAPE, UPDATES, FEWEST_EPOCHS, MOST_EPOCHS, EVALUATIONS });

export function recipeDigest(recipe) {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}

/** @param {Iterable<object>} cells those of protocol "lora" bear the recipe that they were fine-tuned by, linear ones none @param {string} where for the message @param {string} recipe */
export function checkRecipe(cells, where, recipe = RECIPE_DIGEST) {
  for (const cell of cells) {
    if (cell.cell.startsWith("lora/") && cell.recipe !== recipe) throw new Error(`${where}: ${cell.cell} was fine-tuned by another recipe; move it away, or give another folder with --results`);
  }
}

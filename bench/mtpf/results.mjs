// Results of a run: one file of JSON lines, first what the run is, then a cell a line. Cells are added as they are done, so a run that was
// stopped goes on; a line that was cut off counts as not there. Several processes may add to one file, such as one for each protocol.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { withLock } from "./lock.mjs";
import { checkRecipe, RECIPE_DIGEST } from "./recipe.mjs";

/** @returns {{ header: object, cells: Map<string, object> } | null} null when there is no file, or nothing whole in it */
export function readResults(path) {
  if (!existsSync(path)) return null;
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line));
  if (lines.length === 0) return null;
  const [header, ...cells] = lines;
  return { header, cells: new Map(cells.map((cell) => [cell.cell, cell])) };
}

/** All runs of a folder, by name. @throws where adapters were fine-tuned by more than one recipe: they say nothing of regimes */
export function readAllResults(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl")).sort();
  const all = names.map((name) => readResults(`${folder}/${name}`)).filter((results) => results !== null);
  const cells = all.flatMap((results) => [...results.cells.values()]);
  const first = cells.find(({ cell }) => cell.startsWith("lora/"));
  if (first !== undefined) checkRecipe(cells, folder, first.recipe);
  return all;
}

/**
 * Whether two headers are of one run, however long each took: the same run can be made again elsewhere, to the same weights. Where the history of one
 * is not at hand (what ships needs no run) the digests alone are compared.
 */
export function isSameRun(a, b) {
  const isKnown = a.pretraining !== null && b.pretraining !== null;
  const timeless = ({ pretraining, ...rest }) => JSON.stringify({ ...rest, pretraining: isKnown ? { ...pretraining, seconds: undefined } : null });
  return timeless(a) === timeless(b);
}

/**
 * Opens a run's file to add cells to it.
 * @param {object} header what the run is: results of another encoder, other adapters or other rows are not mixed with its own
 * @param {string} recipe digest of how adapters are fine-tuned: nor are those of another recipe
 */
export function openResults(path, header, recipe = RECIPE_DIGEST) {
  mkdirSync(dirname(path), { recursive: true });
  const cells = new Map();
  /** Writes the file anew, with what others have written since; in order, so that it does not depend on who was done first. */
  const write = (added) => withLock(`${path}.lock`, () => {
    const known = readResults(path);
    if (known !== null && !isSameRun(known.header, header)) {
      throw new Error(`${path} holds results of another encoder, other adapters or other settings; move it away, or give another folder with --results`);
    }
    for (const cell of [...(known?.cells.values() ?? []), ...added]) cells.set(cell.cell, cell);
    checkRecipe(cells.values(), path, recipe);
    const sorted = [...cells.values()].sort((a, b) => (a.cell < b.cell ? -1 : 1));
    const kept = known === null || known.header.pretraining === null ? header : known.header;
    writeFileSync(`${path}.partial`, [kept, ...sorted].map((line) => `${JSON.stringify(line)}\n`).join(""));
    renameSync(`${path}.partial`, path);
  });
  // Drops a line that was cut off.
  write([]);
  return { cells, add: (cell) => write([cell]) };
}

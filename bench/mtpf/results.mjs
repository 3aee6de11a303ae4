// Results of a run: one file of JSON lines, first what the run is, then a cell a line. Lines are added as cells are done, so a run that was
// stopped goes on; a line that was cut off counts as not there.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** @returns {{ header: object, cells: Map<string, object> } | null} null when there is no file, or nothing whole in it */
export function readResults(path) {
  if (!existsSync(path)) return null;
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line));
  if (lines.length === 0) return null;
  const [header, ...cells] = lines;
  return { header, cells: new Map(cells.map((cell) => [cell.cell, cell])) };
}

/** All runs of a folder, by name. */
export function readAllResults(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl")).sort();
  return names.map((name) => readResults(`${folder}/${name}`)).filter((results) => results !== null);
}

/** Whether two headers are of one run, however long each took: the same run can be made again elsewhere, to the same weights. */
export function isSameRun(a, b) {
  const timeless = ({ pretraining, ...rest }) => JSON.stringify({ ...rest, pretraining: pretraining && { ...pretraining, seconds: undefined } });
  return timeless(a) === timeless(b);
}

/**
 * Opens a run's file to add cells to it.
 * @param {object} header what the run is: results of another encoder, other adapters or other rows are not mixed with its own
 */
export function openResults(path, header) {
  const known = readResults(path);
  if (known !== null && !isSameRun(known.header, header)) {
    throw new Error(`${path} holds results of another encoder, other adapters or other settings; move it away, or give another folder with --results`);
  }
  const cells = known?.cells ?? new Map();
  const write = () => {
    const sorted = [...cells.values()].sort((a, b) => (a.cell < b.cell ? -1 : 1));
    writeFileSync(`${path}.partial`, [known?.header ?? header, ...sorted].map((line) => `${JSON.stringify(line)}\n`).join(""));
    renameSync(`${path}.partial`, path);
  };
  mkdirSync(dirname(path), { recursive: true });
  // Drops a line that was cut off, after which nothing could be added.
  write();
  return {
    cells,
    add(cell) {
      cells.set(cell.cell, cell);
      appendFileSync(path, `${JSON.stringify(cell)}\n`);
    },
    /** Puts the cells in order, so that the file does not depend on who was done first. */
    close: write,
  };
}

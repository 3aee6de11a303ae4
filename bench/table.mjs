// Rows of cells as aligned text: the first column to the left, numbers to the right.

export function printTable(head, rows) {
  const lines = [head, ...rows].map((cells) => cells.map(String));
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => cells[column].length)));
  for (const cells of lines) {
    console.log(cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "));
  }
}

/** Milliseconds with as many digits as tell something. */
export const ms = (value) => value.toFixed(value < 100 ? 2 : 1);
export const times = (value) => `${value.toFixed(2)}×`;
export const percent = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)} %`;

/** A measured figure beside what was promised of it; `least` is the smallest that keeps the promise. */
export function printGoal(what, value, least, shown = times) {
  console.log(`goal: ${what} ≥ ${shown(least)}: ${shown(value)} ${value >= least ? "(met)" : "(not met)"}`);
}

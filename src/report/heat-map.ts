import { isDrawable } from "./buckets.ts";
import { short } from "./figures.ts";
import { html, type Markup } from "./markup.ts";
import { SHADES, shadeClass } from "./table.ts";

export interface HeatMap {
  readonly title: string;
  /** The drawing in words. */
  readonly summary: string;
  /** What rows and columns are: "layer", "step". */
  readonly axes: { readonly rows: string; readonly columns: string };
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Row by row; null = nothing is there. */
  readonly values: readonly (readonly (number | null)[])[];
  /** The value that has the full tint; minus it has the other colour's. Default: the largest there is. */
  readonly full?: number;
  readonly format?: (value: number) => string;
}

/** Units of the drawing, as in a line chart. */
const WIDTH = 340;
const RIGHT = 8;
const BOTTOM = 30;
const MOST_HEIGHT = 330;
const CELL_HEIGHT = 18;
/** A letter of the names of rows. */
const LETTER = 6;
const MOST_LETTERS = 16;
const LEAST_NAME_HEIGHT = 11;

/** Values of many rows and columns as tints, without figures; each cell says its value to the pointer. */
export function heatMap({ title, summary, axes, rows, columns, values, full, format = short }: HeatMap): Markup {
  const most = full ?? Math.max(1e-12, ...values.map((row) => Math.max(0, ...row.map((value) => (value !== null && isDrawable(value) ? Math.abs(value) : 0)))));
  const left = 12 + LETTER * Math.min(MOST_LETTERS, Math.max(1, ...rows.map((name) => name.length)));
  const cellHeight = Math.min(CELL_HEIGHT, MOST_HEIGHT / Math.max(1, rows.length));
  const cellWidth = (WIDTH - left - RIGHT) / Math.max(1, columns.length);
  const height = Math.max(1, rows.length) * cellHeight;
  const isSigned = values.some((row) => row.some((value) => value !== null && value < 0));
  const cells = values.flatMap((row, y) =>
    row.map((value, x) =>
      value === null || !isDrawable(value)
        ? null
        : html`<rect class="${shadeClass(value / most)}" x="${round(left + x * cellWidth)}" y="${round(y * cellHeight)}" width="${round(cellWidth)}" height="${round(cellHeight)}"><title>${`${axes.rows} ${rows[y]}, ${axes.columns} ${columns[x]}: ${format(value)}`}</title></rect>`,
    ),
  );
  return html`<figure class="chart"><figcaption><h3>${title}</h3>
<ul class="legend" aria-label="Tints">${isSigned ? html`<li>${format(-most)}</li>` : null}<li class="tints" aria-hidden="true">${tints(isSigned)}</li><li>${format(most)}</li></ul></figcaption>
<svg viewBox="0 0 ${WIDTH} ${round(height + BOTTOM)}" role="img"><title>${title}</title><desc>${summary}</desc>
<rect class="heat-0" x="${left}" y="0" width="${WIDTH - left - RIGHT}" height="${round(height)}"/>
${cells}
<g class="axes" aria-hidden="true">${rowNames(rows, left, cellHeight)}${columnNames(columns, left, cellWidth, height)}<text x="${(left + WIDTH - RIGHT) / 2}" y="${round(height + 27)}" text-anchor="middle">${axes.columns}</text></g></svg></figure>`;
}

function tints(isSigned: boolean): Markup[] {
  const cold = isSigned ? Array.from({ length: SHADES }, (_, index) => `cold-${SHADES - index}`) : [];
  const warm = Array.from({ length: SHADES + 1 }, (_, index) => `heat-${index}`);
  return [...cold, ...warm].map((name) => html`<span class="${name}"></span>`);
}

/** Every name that has room for its letters. */
function rowNames(rows: readonly string[], left: number, cellHeight: number): Markup[] {
  const every = Math.ceil(LEAST_NAME_HEIGHT / cellHeight);
  return rows.flatMap((name, row) =>
    row % every > 0 ? [] : [html`<text x="${left - 5}" y="${round((row + 0.5) * cellHeight + 4)}" text-anchor="end">${clip(name)}</text>`],
  );
}

function columnNames(columns: readonly string[], left: number, cellWidth: number, height: number): Markup[] {
  const letters = Math.max(2, ...columns.map((name) => Math.min(MOST_LETTERS, [...name].length)));
  const every = Math.ceil(((letters + 2) * LETTER) / cellWidth);
  return columns.flatMap((name, column) => {
    const middle = left + (column + 0.5) * cellWidth;
    const half = (LETTER * Math.min(MOST_LETTERS, name.length)) / 2;
    return column % every > 0 || middle + half > WIDTH ? [] : [html`<text x="${round(middle)}" y="${round(height + 13)}" text-anchor="middle">${clip(name)}</text>`];
  });
}

function clip(name: string): string {
  const letters = [...name];
  return letters.length <= MOST_LETTERS ? name : `${letters.slice(0, MOST_LETTERS - 1).join("")}…`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

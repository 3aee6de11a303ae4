import { html, Markup, type Content } from "./markup.ts";

export interface Column {
  readonly name: Content;
  /** "number" sets figures at the right. Default "text". */
  readonly kind?: "text" | "number";
}

/** A cell on a tint: `shade` 0 (none) to 1 (full), below 0 the other colour. */
export interface ShadedCell {
  readonly content: Content;
  readonly shade: number;
}

export type Cell = Content | ShadedCell;

export interface Table {
  /** What the table says, for those who do not see what stands around it. */
  readonly caption: string;
  readonly columns: readonly Column[];
  /** A cell for each column; the first names its row. */
  readonly rows: readonly (readonly Cell[])[];
  /** Column names from top to bottom, for many narrow columns. */
  readonly upright?: boolean;
}

/** A table with headers of columns and rows; it scrolls by itself where it is wider than the page. */
export function table({ caption, columns, rows, upright = false }: Table): Markup {
  const kindOf = (column: number): string => (columns[column]?.kind === "number" ? "number" : "words");
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table${upright ? html` class="upright"` : null}><caption>${caption}</caption>
<thead><tr>${columns.map(({ name }, column) => html`<th scope="col" class="${kindOf(column)}"><span>${name}</span></th>`)}</tr></thead>
<tbody>
${rows.map((cells) => html`<tr>${cells.map((cell, column) => (column === 0 ? html`<th scope="row" class="${kindOf(0)}">${contentOf(cell)}</th>` : html`<td class="${kindOf(column)}${shadeOf(cell)}">${contentOf(cell)}</td>`))}</tr>
`)}</tbody></table></div>`;
}

function isShaded(cell: Cell): cell is ShadedCell {
  return typeof cell === "object" && cell !== null && !Array.isArray(cell) && !(cell instanceof Markup);
}

function contentOf(cell: Cell): Content {
  return isShaded(cell) ? cell.content : cell;
}

function shadeOf(cell: Cell): string {
  return isShaded(cell) ? ` ${shadeClass(cell.shade)}` : "";
}

/** Tints of each colour; the style sheet has as many. */
export const SHADES = 6;

/** The class of a tint: "heat-0" (none) to "heat-6", "cold-1" to "cold-6" below 0. */
export function shadeClass(shade: number): string {
  const level = Math.max(-SHADES, Math.min(SHADES, Math.sign(shade) * Math.ceil(Math.abs(shade) * SHADES - 1e-9)));
  return level < 0 ? `cold-${-level}` : `heat-${Number.isNaN(level) ? 0 : level}`;
}

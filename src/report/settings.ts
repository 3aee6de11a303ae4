import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";

/** Levels of objects within objects that have rows of their own; what lies deeper is written as JSON. */
const MOST_DEPTH = 4;

/** Settings as rows of name and value; objects within have their names joined: "data.train.rows". */
export function settingsTable(settings: Readonly<Record<string, unknown>>): Markup {
  return table({
    caption: "Settings of the run",
    columns: [{ name: "Setting" }, { name: "Value" }],
    rows: flatten(settings, "", 0).map(([name, value]) => [breakable(name), html`<span dir="auto">${value}</span>`]),
  });
}

/** May be broken after its dots. */
function breakable(name: string): Markup[] {
  return name.split(/(?<=\.)/).map((part, index) => (index === 0 ? html`${part}` : html`<wbr>${part}`));
}

function flatten(value: unknown, name: string, depth: number): [name: string, value: string][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value) && depth < MOST_DEPTH) {
    const entries = Object.entries(value);
    if (entries.length > 0 || depth === 0) return entries.flatMap(([key, inner]) => flatten(inner, name === "" ? key : `${name}.${key}`, depth + 1));
  }
  return [[name, write(value)]];
}

function write(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(", ");
  return JSON.stringify(value) ?? String(value);
}

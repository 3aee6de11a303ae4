/** What a place in `html` takes. Strings and numbers are escaped; null is nothing. */
export type Content = Markup | string | number | null | readonly Content[];

/** Text that is HTML. Only `html` makes it, so nothing in it came in unescaped. */
export class Markup {
  readonly #text: string;

  constructor(key: typeof KEY, text: string) {
    if (key !== KEY) throw new TypeError("Markup is made by html`…`.");
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const KEY = Symbol("html");

/** HTML or SVG from a template: what stands in the template is taken as it is, what is put in is escaped for elements and quoted attributes. */
export function html(template: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(KEY, template.reduce((text, part, index) => text + write(contents[index - 1] ?? null) + part));
}

function write(content: Content): string {
  if (content === null) return "";
  if (content instanceof Markup) return content.toString();
  if (typeof content === "string") return escape(content);
  if (typeof content === "number") return String(content);
  return content.map(write).join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * Units that HTML forbids, and those that turn the direction of all that follows (Unicode's embeddings, overrides and isolates): a label
 * must not change how the page around it reads. A terminal is refused more (`UNPRINTABLE` of errors.ts): in a page, line breaks are spaces, and marks
 * (U+061C, U+200E, U+200F), which scripts from right to left are written with, order nothing but their neighbours.
 */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu;

function escape(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"']/g, (unit) => ENTITIES[unit]!);
}

import { html, type Content, type Markup } from "./markup.ts";
import { STYLE } from "./style.ts";

/** A part of a page under a heading. */
export interface Section {
  readonly title: string;
  /** A sentence under the heading. */
  readonly lead?: Content;
  readonly content: Content;
  /** Its parts lie side by side where there is room. */
  readonly columns?: boolean;
}

export interface Page {
  readonly title: string;
  /** Over the title: what kind of page it is. */
  readonly kind: string;
  readonly lead: Content;
  /** Figures at the head of the page, the first set off. */
  readonly figures: readonly { readonly name: string; readonly value: string; readonly note?: string }[];
  readonly sections: readonly Section[];
}

/** What the page may load: nothing. It has no script, image, font or link. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A whole HTML page in one file. It needs no script and no network, and follows the reader's light or dark theme. */
export function page({ title, kind, lead, figures, sections }: Page): string {
  const document = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${`${title} – ${kind}`}</title>
${STYLE}
</head>
<body>
<header><p class="kind">${kind}</p><h1>${title}</h1><p class="lead">${lead}</p>
<dl class="figures">${figures.map(({ name, value, note }) => html`<div><dt>${name}</dt><dd>${value}${note === undefined ? null : html` <small>${note}</small>`}</dd></div>`)}</dl></header>
<main>
${sections.map(section)}</main>
</body>
</html>
`;
  return `<!doctype html>\n${document.toString()}`;
}

function section({ title, lead, content, columns = false }: Section): Markup {
  return html`<section><h2>${title}</h2>${lead === undefined ? null : html`<p class="lead">${lead}</p>`}
<div class="${columns ? "columns" : "rows"}">${content}</div></section>
`;
}

const MOST_NOTES = 50;

/** A list of short notes that are set off. */
export function notes(texts: readonly string[]): Markup {
  const rest = texts.length - MOST_NOTES;
  return html`<ul class="notes">${texts.slice(0, MOST_NOTES).map((text) => html`<li>${text}</li>`)}${rest > 0 ? html`<li>and ${rest} more</li>` : null}</ul>`;
}

/** Content behind a line that opens it. */
export function folded(title: string, content: Content): Markup {
  return html`<details><summary>${title}</summary>${content}</details>`;
}

import { html } from "./markup.ts";

/** Of every page. Contrasts are at least 4.5 for text and 3 for lines, in both themes. */
export const STYLE = html`<style>
:root {
  --paper: #f6f7f3; --panel: #fff; --ink: #17211b; --soft: #55625a; --line: #dfe4dc; --accent: #1f6b4a; --well: #eef1ec;
  --tone-0: #1f6b4a; --tone-1: #b4610c; --tone-2: #2b62b0; --tone-3: #8c2f6a; --tone-4: #5b5f12; --tone-5: #55625a;
  --right: #dcefe4; --right-ink: #14532d; --missed: #fdeccb; --missed-ink: #6b4300; --wrong: #fbdfdc; --wrong-ink: #8a1c15;
  --note: #fff6e0; --note-line: #d39a3a;
  --heat: #8fc9a9; --cold: #f0b48a;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1512; --panel: #171f1b; --ink: #e8eeea; --soft: #a2afa7; --line: #29342e; --accent: #6fd0a0; --well: #202a25;
    --tone-0: #6fd0a0; --tone-1: #eda354; --tone-2: #86b6f7; --tone-3: #e79ac9; --tone-4: #cdd27a; --tone-5: #a2afa7;
    --right: #17402c; --right-ink: #b5ebcd; --missed: #46330f; --missed-ink: #f9d899; --wrong: #56211d; --wrong-ink: #ffc4be;
    --note: #2b2412; --note-line: #b98a35;
    --heat: #1f6b4a; --cold: #7d4316;
  }
}
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: clamp(1.25rem, 4vw, 2.75rem) clamp(1rem, 4vw, 2.5rem) 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; -webkit-text-size-adjust: 100%; overflow-wrap: anywhere; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: clamp(1.6rem, 5vw, 2.1rem); line-height: 1.15; letter-spacing: -0.02em; }
h2 { font-size: 1.25rem; letter-spacing: -0.01em; }
h3 { font-size: 0.9375rem; font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft, .lead, small { color: var(--soft); }
.lead { max-width: 46rem; text-wrap: pretty; }
.kind { color: var(--accent); font-weight: 600; font-size: 0.875rem; }
header { display: grid; gap: 0.375rem; }
section { display: grid; gap: 0.75rem; margin-top: 2.5rem; }
section > .lead { margin-top: -0.5rem; font-size: 0.9375rem; }
.rows { display: grid; gap: 1rem; min-width: 0; }
.columns { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); align-items: start; }
.rows > *, .columns > * { min-width: 0; }
.columns th, .columns td { padding-inline: 0.5rem; }
.columns > details { grid-column: 1 / -1; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1px; margin-top: 1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--panel); overflow: hidden; }
.figures div { padding: 0.75rem 1rem 0.875rem; box-shadow: 0 0 0 1px var(--line); }
.figures dt { color: var(--soft); font-size: 0.8125rem; }
.figures dd { font-size: 1.25rem; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures div:first-child dd { color: var(--accent); font-size: 1.75rem; line-height: 1.1; letter-spacing: -0.02em; }
.figures small { display: block; margin-top: 0.125rem; font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; line-height: 1.4; }

.chart, .panel, details, .scroll { border: 1px solid var(--line); border-radius: 1rem; background: var(--panel); }
.chart { padding: 0.875rem 1rem 0.625rem; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; justify-content: space-between; margin-bottom: 0.5rem; }
.chart > svg { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { fill: var(--soft); font: 11px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 0.125rem 0.875rem; align-items: center; color: var(--soft); font-size: 0.8125rem; }
.swatch { width: 1.5rem; height: 0.5rem; margin-right: 0.375rem; vertical-align: 0.1em; }
.swatch path, .line { fill: none; stroke: var(--tone); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.grid { stroke: var(--line); }
.band { fill: var(--tone); opacity: 0.16; }
circle { fill: var(--tone); }
rect { shape-rendering: crispEdges; }
.pin { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.tone-0 { --tone: var(--tone-0); } .tone-1 { --tone: var(--tone-1); } .tone-2 { --tone: var(--tone-2); }
.tone-3 { --tone: var(--tone-3); } .tone-4 { --tone: var(--tone-4); } .tone-5 { --tone: var(--tone-5); }
.tone-1 .line, .swatch.tone-1 path { stroke-dasharray: 6 4; } .tone-2 .line, .swatch.tone-2 path { stroke-dasharray: 2 4; }
.tone-3 .line, .swatch.tone-3 path { stroke-dasharray: 9 3 2 3; } .tone-4 .line, .swatch.tone-4 path { stroke-dasharray: 12 3; } .tone-5 .line, .swatch.tone-5 path { stroke-dasharray: 4 2; }

.tints { display: flex; }
.tints span { width: 0.875rem; height: 0.75rem; }
.heat-0 { --tint: var(--well); }
.heat-1 { --tint: color-mix(in srgb, var(--heat) 32%, var(--well)); } .heat-2 { --tint: color-mix(in srgb, var(--heat) 46%, var(--well)); }
.heat-3 { --tint: color-mix(in srgb, var(--heat) 60%, var(--well)); } .heat-4 { --tint: color-mix(in srgb, var(--heat) 73%, var(--well)); }
.heat-5 { --tint: color-mix(in srgb, var(--heat) 86%, var(--well)); } .heat-6 { --tint: var(--heat); }
.cold-1 { --tint: color-mix(in srgb, var(--cold) 32%, var(--well)); } .cold-2 { --tint: color-mix(in srgb, var(--cold) 46%, var(--well)); }
.cold-3 { --tint: color-mix(in srgb, var(--cold) 60%, var(--well)); } .cold-4 { --tint: color-mix(in srgb, var(--cold) 73%, var(--well)); }
.cold-5 { --tint: color-mix(in srgb, var(--cold) 86%, var(--well)); } .cold-6 { --tint: var(--cold); }
[class*="heat-"], [class*="cold-"] { background: var(--tint); fill: var(--tint); }

.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 0.4375rem 0.75rem; text-align: start; vertical-align: top; unicode-bidi: isolate; overflow-wrap: break-word; }
th:first-child, td:first-child { padding-inline-start: 1rem; }
th:last-child, td:last-child { padding-inline-end: 1rem; }
thead th { color: var(--soft); font-size: 0.8125rem; font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 500; }
tbody .words { min-width: 6.25rem; overflow-wrap: anywhere; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: end; white-space: nowrap; }
.upright td { border-inline-start: 1px solid var(--panel); min-width: 2.75rem; text-align: center; }
.upright thead .number { text-align: center; }
.upright thead .number span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

details { overflow: hidden; }
summary { padding: 0.625rem 1rem; cursor: pointer; font-size: 0.9375rem; font-weight: 600; }
details[open] > summary { border-bottom: 1px solid var(--line); }
details > .scroll { border: 0; border-radius: 0; }
.notes { padding: 0.75rem 1rem; border: 1px solid var(--note-line); border-radius: 1rem; background: var(--note); font-size: 0.9375rem; }
.notes li + li { margin-top: 0.375rem; }

.mistakes { display: grid; gap: 0.75rem; }
.mistakes > li { display: grid; gap: 0.5rem; padding: 0.875rem 1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--panel); }
.mistakes dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.375rem 0.875rem; align-items: baseline; }
.mistakes dt { color: var(--soft); font-size: 0.8125rem; }
.mistakes .loss { color: var(--soft); font-size: 0.8125rem; justify-self: end; }
.text { display: block; line-height: 1.75; white-space: pre-wrap; unicode-bidi: isolate; overflow-wrap: anywhere; }
mark { padding: 0.125rem 0.25rem; border-radius: 0.375rem; border-bottom: 2px solid; background: var(--mark); color: var(--mark-ink); box-decoration-break: clone; -webkit-box-decoration-break: clone; unicode-bidi: isolate; }
mark b { margin-inline-start: 0.375rem; font-size: 0.6875rem; letter-spacing: 0.01em; unicode-bidi: isolate; }
.right { --mark: var(--right); --mark-ink: var(--right-ink); } .missed { --mark: var(--missed); --mark-ink: var(--missed-ink); } .wrong { --mark: var(--wrong); --mark-ink: var(--wrong-ink); }
mark.missed { border-bottom-style: dashed; } mark.wrong { border-bottom-style: double; border-bottom-width: 4px; }
.labels { display: flex; flex-wrap: wrap; gap: 0.375rem; }
.labels li { padding: 0.0625rem 0.5rem; border-radius: 0.5rem; background: var(--mark); color: var(--mark-ink); font-size: 0.875rem; font-weight: 500; unicode-bidi: isolate; }
.meter { display: inline-block; width: 4rem; height: 0.5rem; margin-inline-start: 0.5rem; border-radius: 1rem; background: var(--well); overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--accent); }
@media (max-width: 30rem) {
  .meter { display: none; }
  .figures div:first-child { grid-column: 1 / -1; }
  th, td, .columns th, .columns td { padding-inline: 0.3125rem; font-size: 0.8125rem; }
  th:first-child { padding-inline-start: 0.75rem; }
  th:last-child, td:last-child { padding-inline-end: 0.75rem; }
  thead th { font-size: 0.75rem; }
  .chart text { font-size: 12.5px; }
  .mistakes dl { grid-template-columns: minmax(0, 1fr); gap: 0.125rem; }
  .mistakes dd + dt { margin-top: 0.375rem; }
}
@media print { body { max-width: none; } .chart, .mistakes > li { break-inside: avoid; } }
</style>`;

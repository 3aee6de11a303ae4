import { countAxis, roundAxis, type Axis } from "./axis.ts";
import { buckets, type Bucket, type Point } from "./buckets.ts";
import { grouped, short } from "./figures.ts";
import { html, type Markup } from "./markup.ts";

export interface Series {
  readonly name: string;
  /** In order of x. What is not finite is left out. */
  readonly points: readonly Point[];
  /** A dot at each point, for series of few. */
  readonly dots?: boolean;
}

export interface LineChart {
  readonly title: string;
  /** What x counts, from 0 on: "step". */
  readonly x: string;
  /** At most 6, told apart by colour and dashes. */
  readonly series: readonly Series[];
  /** How values are written. Default: three digits. */
  readonly format?: (value: number) => string;
  /** Which no end of the y axis passes. */
  readonly limits?: readonly [number, number];
  /** A point that is set off, and what is said of it. */
  readonly mark?: { readonly point: Point; readonly label: string };
}

/** Units of the drawing; a page shows one at 330 to 480 pixels, so its letters are 11 to 16 high. */
const WIDTH = 340;
const HEIGHT = 200;
const LEFT = 46;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 34;
/** Points of a line: two units of the drawing each. A line of more is drawn as means, with their range behind it. */
const MOST_POINTS = 140;

interface Frame {
  readonly x: Axis;
  readonly y: Axis;
  readonly format: (value: number) => string;
}

/** Lines over steps: a figure with title, legend and drawing. Series without a point are left out. */
export function lineChart(chart: LineChart): Markup {
  const { title, x, format = short, limits, mark } = chart;
  const drawn = chart.series.map(({ name, points, dots }, tone) => ({ name, dots, tone, buckets: buckets(points, MOST_POINTS) })).filter((series) => series.buckets.length > 0);
  if (drawn.length === 0) return html`<figure class="chart"><figcaption><h3>${title}</h3></figcaption><p class="soft">Nothing was measured.</p></figure>`;
  const last = chart.series.flatMap(({ points }) => points.map(([step]) => step)).reduce((most, step) => (step > most ? step : most), 0);
  const frame: Frame = {
    x: countAxis(last, 4),
    y: roundAxis(drawn.flatMap((series) => series.buckets.flatMap(({ least, most }) => [least, most])), 4, limits),
    format,
  };
  return html`<figure class="chart"><figcaption><h3>${title}</h3>
${drawn.length > 1 ? html`<ul class="legend">${drawn.map(({ name, tone }) => html`<li><svg class="swatch tone-${tone % 6}" viewBox="0 0 24 8" aria-hidden="true"><path d="M1 4H23"/></svg>${name}</li>`)}</ul>` : null}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><title>${title}</title><desc>${drawn.map((series) => summary(series, x, format)).join(" ")}${mark === undefined ? "" : ` ${mark.label}.`}</desc>
${axes(frame, x)}
${drawn.map((series) => html`<g class="tone-${series.tone % 6}">${band(series.buckets, frame)}<path class="line" d="${line(series.buckets, frame)}"/>${series.dots === true ? dots(series.buckets, frame, x) : null}</g>
`)}${mark === undefined ? null : pin(mark.point, mark.label, frame)}</svg></figure>`;
}

/** The drawing in words, for those who do not see it. */
function summary({ name, buckets: points }: { name: string; buckets: readonly Bucket[] }, x: string, format: (value: number) => string): string {
  const least = points.reduce((best, point) => (point.mean < best.mean ? point : best));
  const most = points.reduce((best, point) => (point.mean > best.mean ? point : best));
  const at = ({ x: step, mean }: Bucket): string => `${format(mean)} at ${x} ${grouped(Math.round(step))}`;
  return `${name}: from ${at(points[0]!)} to ${at(points.at(-1)!)}; lowest ${at(least)}, highest ${at(most)}.`;
}

function xOf(value: number, { x: { min, max } }: Frame): number {
  return round(LEFT + ((value - min) / (max - min)) * (WIDTH - LEFT - RIGHT));
}

function yOf(value: number, { y: { min, max } }: Frame): number {
  return round(HEIGHT - BOTTOM - ((value - min) / (max - min)) * (HEIGHT - TOP - BOTTOM));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function axes(frame: Frame, name: string): Markup {
  const base = HEIGHT - BOTTOM;
  const rows = frame.y.ticks.map((tick) => html`<path class="grid" d="M${LEFT} ${yOf(tick, frame)}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${yOf(tick, frame) + 4}" text-anchor="end">${frame.format(tick)}</text>`);
  const last = frame.x.ticks.length - 1;
  const columns = frame.x.ticks.map((tick, index) => html`<text x="${xOf(tick, frame)}" y="${base + 15}" text-anchor="${index === last ? "end" : index === 0 ? "start" : "middle"}">${grouped(tick)}</text>`);
  return html`<g class="axes" aria-hidden="true">${rows}${columns}<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${base + 30}" text-anchor="middle">${name}</text></g>`;
}

function line(points: readonly Bucket[], frame: Frame): string {
  return points.map(({ x, mean }, index) => `${index === 0 ? "M" : "L"}${xOf(x, frame)} ${yOf(mean, frame)}`).join("");
}

/** From the least to the most of each bucket. */
function band(points: readonly Bucket[], frame: Frame): Markup | null {
  if (points.every(({ least, most }) => least === most)) return null;
  const edge = (value: "least" | "most", order: readonly Bucket[]): string[] => order.map((point) => `${xOf(point.x, frame)} ${yOf(point[value], frame)}`);
  return html`<path class="band" d="M${[...edge("most", points), ...edge("least", [...points].reverse())].join("L")}Z"/>`;
}

function dots(points: readonly Bucket[], frame: Frame, name: string): Markup[] {
  return points.map(({ x, mean }) => html`<circle cx="${xOf(x, frame)}" cy="${yOf(mean, frame)}" r="2.5"><title>${`${name} ${grouped(x)}: ${frame.format(mean)}`}</title></circle>`);
}

function pin([x, y]: Point, label: string, frame: Frame): Markup {
  return html`<circle class="pin" cx="${xOf(x, frame)}" cy="${yOf(y, frame)}" r="5"><title>${label}</title></circle>`;
}

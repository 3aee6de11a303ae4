// The two losses' gradients along the backbone as a drawing: their cosine, and how long NER's is beside TC's. Readable on light and dark pages.

const [WIDTH, PANEL, GAP, LEFT, RIGHT, TOP] = [720, 170, 64, 60, 20, 44];
const HEIGHT = TOP + 2 * PANEL + GAP + 40;
/** Contrast of at least 3 to both a white and a black page's usual grounds, light then dark; told apart by dashes and marks as well. */
const TONES = [["#1f6b4a", "#6fd0a0"], ["#b4610c", "#eda354"], ["#2b62b0", "#86b6f7"], ["#8c2f6a", "#e79ac9"]];
const DASHES = ["none", "7 4", "2 4", "10 3 2 3"];

/**
 * @param {{ name: string, parts: { part: string, cosine: number, spread: number, ratio: number }[] }[]} series at most 4, over the same parts in order
 * @returns {string} an SVG file
 */
export function conflictPlot(series) {
  const parts = series[0].parts.map(({ part }) => part);
  const xOf = (index) => LEFT + ((index + 0.5) * (WIDTH - LEFT - RIGHT)) / parts.length;
  const most = Math.max(...series.flatMap(({ parts: all }) => all.map(({ cosine, spread }) => Math.abs(cosine) + spread)));
  const top = roundUp(most);
  const ratios = series.flatMap(({ parts: all }) => all.map(({ ratio }) => ratio));
  const highest = roundUp(Math.max(1, ...ratios));
  const cosines = panel({ title: "Cosine of the NER and the TC gradient (mean, and standard deviation over probes)", from: TOP, low: -top, high: top, base: 0 });
  const norms = panel({ title: "Length of the NER gradient over that of the TC gradient, losses counted once (median)", from: TOP + PANEL + GAP, low: 0, high: highest, base: 1 });
  const drawn = series.flatMap(({ name, parts: all }, tone) => {
    // Side by side, so that bars of one part do not hide each other.
    const shift = (tone - (series.length - 1) / 2) * 7;
    const at = (frame, index, value) => `${fixed(xOf(index) + shift)} ${fixed(frame.yOf(value))}`;
    const line = (frame, field) => `<path class="line" d="M${all.map((part, index) => at(frame, index, part[field])).join("L")}"/>`;
    const bars = all.map(({ cosine, spread }, index) => `<path class="bar" d="M${at(cosines, index, cosine - spread)}L${at(cosines, index, cosine + spread)}"/>`);
    const dots = (frame, field) => all.map((part, index) => {
      const [x, y] = at(frame, index, part[field]).split(" ");
      return `<circle cx="${x}" cy="${y}" r="3.5"><title>${escape(`${name}, ${part.part}: ${part[field].toFixed(3)}`)}</title></circle>`;
    });
    return [`<g class="tone-${tone}">`, line(cosines, "cosine"), ...bars, ...dots(cosines, "cosine"), line(norms, "ratio"), ...dots(norms, "ratio"), "</g>"];
  });
  const legend = series.flatMap(({ name }, tone) => {
    const x = LEFT + tone * 160;
    return [`<g class="tone-${tone}"><path class="line" d="M${x} 14H${x + 28}"/><circle cx="${x + 14}" cy="14" r="3.5"/></g>`, `<text x="${x + 36}" y="18">${escape(name)}</text>`];
  });
  const names = parts.map((part, index) => `<text x="${fixed(xOf(index))}" y="${HEIGHT - 12}" text-anchor="middle">${escape(part)}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    `<title id="title">Gradients of the NER and the TC loss on the backbone, by layer: ${escape(series.map(({ name }) => name).join(", "))}</title>`, style(series.length),
    ...legend, ...cosines.lines, ...norms.lines, ...names, ...drawn, "</svg>", "",
  ].join("\n");
}

function panel({ title, from, low, high, base }) {
  const yOf = (value) => from + PANEL - ((value - low) / (high - low)) * PANEL;
  const ticks = [0, 1, 2, 3, 4].map((n) => low + (n * (high - low)) / 4);
  const lines = ticks.flatMap((tick) => [`<path class="grid" d="M${LEFT} ${fixed(yOf(tick))}H${WIDTH - RIGHT}"/>`, `<text x="${LEFT - 8}" y="${fixed(yOf(tick) + 4)}" text-anchor="end">${Number(tick.toPrecision(3)).toString().replace("-", "−")}</text>`]);
  return { yOf, lines: [...lines, `<path class="base" d="M${LEFT} ${fixed(yOf(base))}H${WIDTH - RIGHT}"/>`, `<text x="${LEFT}" y="${from - 10}" class="head">${title}</text>`] };
}

/** The next of 1, 2, 4 × 10ⁿ: a quarter of it is a round number. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 4, 10].find((digit) => value <= digit * power * (1 + 1e-9));
}

function style(count) {
  const tones = (scheme) => Array.from({ length: count }, (_, tone) => `.tone-${tone}{stroke:${TONES[tone][scheme]};fill:${TONES[tone][scheme]}}`).join("");
  const dashes = Array.from({ length: count }, (_, tone) => `.tone-${tone} .line{stroke-dasharray:${DASHES[tone]}}`).join("");
  const page = (ink, grid) => `text{fill:${ink}}.grid{stroke:${grid}}.base{stroke:${ink}}`;
  return `<style>text{font:12px system-ui,sans-serif;stroke:none}.head{font-weight:600}.line{fill:none;stroke-width:2}.bar{stroke-width:1.5;opacity:.6}circle{stroke:none}.grid{stroke-width:1}.base{stroke-width:1}${dashes}${page("#3c463f", "#d5dbd2")}${tones(0)}@media(prefers-color-scheme:dark){${page("#c3cec7", "#3a453f")}${tones(1)}}</style>`;
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function fixed(value) {
  return Number(value.toFixed(1));
}

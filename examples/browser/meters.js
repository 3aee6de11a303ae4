// A figure in parts: a stacked bar and its legend, which says the same in words.
import { element } from "./cards.js";

/** @param parts `{ name, value, text }`, in the order they are stacked */
export function drawMeter(target, title, total, parts) {
  const whole = parts.reduce((sum, { value }) => sum + value, 0) || 1;
  const bar = element("div", "stack");
  bar.setAttribute("aria-hidden", "true");
  const legend = element("ul", "legend");
  for (const [index, { name, value, text }] of parts.entries()) {
    const piece = element("span", `piece piece-${index}`);
    piece.style.setProperty("--share", (value / whole).toFixed(4));
    bar.append(piece);
    const dot = element("span", `dot piece-${index}`);
    legend.append(element("li", "", dot, element("span", "part", name), " ", element("span", "number", text)));
  }
  const head = element("div", "meter-head", element("h3", "", title), element("p", "total", total));
  target.replaceChildren(head, bar, legend);
}

export const milliseconds = (ms) => (ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

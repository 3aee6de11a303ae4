// The layer behind the text area: the same words in the same places, with the entities marked.
import { hueOf, readable } from "./tasks.js";

/**
 * @param spans `{ start, end, entity_group, marks }`, of any taggers; those of one tagger do not overlap
 */
export function drawMarks(target, text, spans) {
  const borders = new Set([0, text.length]);
  for (const { start, end } of spans) borders.add(start).add(end);
  const at = [...borders].filter((border) => border <= text.length).sort((a, b) => a - b);
  const children = [];
  for (let i = 0; i + 1 < at.length; i++) {
    const part = text.slice(at[i], at[i + 1]);
    const above = spans.find(({ marks, start, end }) => marks === "above" && start <= at[i] && end > at[i]);
    const below = spans.find(({ marks, start, end }) => marks === "below" && start <= at[i] && end > at[i]);
    children.push(above || below ? markOf(part, above, below, at[i], at[i + 1]) : document.createTextNode(part));
  }
  // A line break at the very end has no height without something after it.
  children.push(document.createTextNode("\u200b"));
  target.replaceChildren(...children);
  fitLabels(target);
}

/** Gives each label the room up to the next one of its line. Again after a change of width. */
export function fitLabels(target) {
  if (target.getClientRects().length === 0) return; // not in the page yet, or hidden: nothing has a place
  const edge = target.getBoundingClientRect().right;
  for (const place of ["above", "below"]) {
    const marks = [...target.querySelectorAll(`[data-${place}]`)];
    const boxes = marks.map((mark) => mark.getClientRects()[0]);
    // Words that go on in the next line have their label under the first one.
    const drops = marks.map((mark, index) => mark.getBoundingClientRect().bottom - boxes[index].bottom);
    for (const [index, mark] of marks.entries()) {
      const [box, next] = [boxes[index], boxes[index + 1]];
      const end = next !== undefined && Math.abs(next.top - box.top) < box.height / 2 ? next.left - 6 : edge;
      mark.style.setProperty("--drop", `${drops[index]}px`);
      mark.style.setProperty(`--room-${place}`, `${Math.max(0, end - box.left)}px`);
    }
  }
}

/** Spans move with their words when a text is changed in one place; those that were touched go. */
export function shiftSpans(spans, before, after) {
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const shift = after.length - before.length;
  return spans
    .filter(({ start, end }) => end <= head || start >= before.length - tail)
    .map((span) => (span.end <= head ? span : { ...span, start: span.start + shift, end: span.end + shift }));
}

function markOf(part, above, below, from, to) {
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.append(part);
  for (const [place, span] of Object.entries({ above, below })) {
    if (span === undefined) continue;
    mark.classList.add(place, `${place}-hue-${hueOf(span.entity_group)}`);
    mark.classList.toggle(`${place}-start`, span.start === from);
    mark.classList.toggle(`${place}-end`, span.end === to);
    if (span.start === from) mark.dataset[place] = readable(span.entity_group);
  }
  return mark;
}

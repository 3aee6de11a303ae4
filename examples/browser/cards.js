// One card a task: its switch and what it says about the text.
import { hueOf, readable } from "./tasks.js";

/** A new element with a class, its children appended. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export class TaskCard {
  element;
  #input;
  #size;
  #result;

  /** @param onToggle called with whether the task is wanted now */
  constructor({ name, title, about }, onToggle) {
    this.#input = element("input");
    Object.assign(this.#input, { type: "checkbox", id: `task-${name}`, disabled: true });
    this.#input.setAttribute("role", "switch");
    this.#input.setAttribute("aria-describedby", `about-${name}`);
    this.#input.addEventListener("change", () => onToggle(this.#input.checked));
    const label = element("label", "switch", this.#input, element("span", "track"), element("span", "name", title));
    this.#size = element("span", "size");
    const note = element("p", "about", about);
    note.id = `about-${name}`;
    this.#result = element("div", "result");
    this.element = element("li", "card", element("div", "card-head", label, this.#size), note, this.#result);
    this.element.dataset.task = name;
  }

  get isOn() {
    return this.#input.checked;
  }

  enable() {
    this.#input.disabled = false;
  }

  /** The switch as `isOn`, without telling anyone. */
  set(isOn) {
    this.#input.checked = isOn;
  }

  /** On: its bytes and how long adding took. Off: nothing to say. */
  showState(isOn, text) {
    this.element.classList.toggle("on", isOn);
    this.#size.textContent = text;
    if (!isOn) this.#result.replaceChildren();
  }

  showError(message) {
    this.#result.replaceChildren(element("p", "error", message));
  }

  showResult(result) {
    if (result.length === 0) this.#result.replaceChildren(element("p", "none", "Nothing found"));
    else if (result[0].entity_group !== undefined) this.#result.replaceChildren(chips(result));
    else this.#result.replaceChildren(bars(result));
  }
}

const percent = (share) => `${Math.round(share * 100)} %`;

function chips(spans) {
  const items = spans.map(({ entity_group, word, score }) => {
    const type = element("span", `type hue-${hueOf(entity_group)}`, readable(entity_group));
    return element("li", "chip", type, " ", element("span", "word", word), " ", element("span", "score", percent(score)));
  });
  return element("ul", "chips", ...items);
}

function bars(labels) {
  const items = labels.map(({ label, score }) => {
    const fill = element("span", "fill");
    fill.style.setProperty("--share", score.toFixed(4));
    const bar = element("span", "bar", fill);
    bar.setAttribute("aria-hidden", "true");
    return element("li", "", element("span", "label", readable(label)), " ", element("span", "score", percent(score)), bar);
  });
  return element("ol", "bars", ...items);
}

import { element } from "../cards.js";
import { drawMarks, fitLabels, shiftSpans } from "../marks.js";

/** The fields of a row { text, spans }: its text, in which words are selected and marked. */
export class SpanRow {
  element;
  #marks = element("div", "marks");
  #text = element("textarea");
  #said = element("span", "aside");
  #tools = element("div", "tools");
  #row;
  #list;

  /** @param list the row list that it belongs to: `changed()`, `labels()` */
  constructor(row, list, id) {
    this.#row = row;
    this.#list = list;
    this.#marks.setAttribute("aria-hidden", "true");
    Object.assign(this.#text, { rows: 1, value: row.text, spellcheck: false, autocomplete: "off", placeholder: "Text" });
    this.#said.id = `${id}-marks`;
    this.element = element("div", "fields", element("div", "editor", this.#marks, this.#text), this.#said, this.#tools);
    this.#text.addEventListener("input", () => {
      // A row is a line.
      const text = this.#text.value.replaceAll(/\s*\n\s*/g, " ");
      if (text !== this.#text.value) this.#text.value = text;
      Object.assign(row, { spans: shiftSpans(row.spans, row.text, text), text, problem: null });
      this.#draw();
      list.changed();
    });
    this.element.addEventListener("focusin", () => this.#open());
    this.#draw();
  }

  setNumber(number) {
    this.#text.setAttribute("aria-label", `Row ${number}: text`);
    this.#tools.setAttribute("aria-label", `Row ${number}: marks`);
    this.#tools.setAttribute("role", "group");
  }

  setProblem(problem, id) {
    if (problem === null) this.#text.removeAttribute("aria-invalid");
    else this.#text.setAttribute("aria-invalid", "true");
    this.#text.setAttribute("aria-describedby", problem === null ? this.#said.id : `${id} ${this.#said.id}`);
  }

  focus() {
    this.#text.focus();
  }

  /** The widths have changed. */
  fit() {
    fitLabels(this.#marks);
  }

  /** The tools of the row that is worked on; those of all rows would be a page of buttons. */
  #open() {
    if (this.#tools.childElementCount > 0) return;
    this.#list.opened(this);
    this.#drawTools();
  }

  close() {
    this.#tools.replaceChildren();
  }

  #draw() {
    const spans = this.#row.spans.map(({ start, end, label }) => ({ start, end, entity_group: label, marks: "above" }));
    drawMarks(this.#marks, this.#row.text, spans);
    this.#said.textContent = spans.length === 0 ? "Nothing marked." : `Marked: ${this.#row.spans.map((span) => this.#words(span)).join("; ")}.`;
    if (this.#tools.childElementCount > 0) this.#drawTools();
  }

  #words({ start, end, label }) {
    return `${this.#row.text.slice(start, end)}, ${label}`;
  }

  #drawTools() {
    const button = (text, name, run) => {
      const made = element("button", "quiet", text);
      Object.assign(made, { type: "button" });
      made.setAttribute("aria-label", name);
      made.addEventListener("click", run);
      return made;
    };
    const other = element("input", "field");
    Object.assign(other, { type: "text", placeholder: "New label", autocomplete: "off", maxLength: 40 });
    other.setAttribute("aria-label", "New label for the selected words");
    other.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || other.value.trim() === "") return;
      event.preventDefault();
      this.#mark(other.value.trim());
    });
    const labels = this.#list.labels().map((label) => button(label, `Mark the selected words as ${label}`, () => this.#mark(label)));
    const marked = this.#row.spans.map((span) => button(`${this.#row.text.slice(span.start, span.end)} ×`, `Remove the mark of ${this.#words(span)}`, () => this.#unmark(span)));
    this.#tools.replaceChildren(
      element("div", "tool-line", element("span", "hint", "Mark selected words as"), ...labels, other),
      ...(marked.length === 0 ? [] : [element("div", "tool-line", element("span", "hint", "Marked"), ...marked)]),
    );
  }

  #mark(label) {
    const { selectionStart, selectionEnd } = this.#text;
    const picked = this.#row.text.slice(selectionStart, selectionEnd);
    const start = selectionStart + picked.length - picked.trimStart().length;
    const end = selectionEnd - (picked.length - picked.trimEnd().length);
    this.#text.focus();
    if (end <= start) return this.#list.say("Select words in the text first, then choose their label.");
    const kept = this.#row.spans.filter((span) => span.end <= start || span.start >= end);
    this.#set([...kept, { start, end, label }].sort((a, b) => a.start - b.start));
    this.#text.setSelectionRange(end, end);
  }

  #unmark(span) {
    this.#set(this.#row.spans.filter((one) => one !== span));
    this.#text.focus();
  }

  #set(spans) {
    Object.assign(this.#row, { spans, problem: null });
    this.#list.changed();
    this.#draw();
  }
}

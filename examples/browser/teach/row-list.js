// The rows as they are now, each with its fields and what is wrong with it.
import { element } from "../cards.js";
import { countLabels, problemsOf } from "./check-rows.js";
import { LabelRow } from "./label-row.js";
import { SpanRow } from "./span-row.js";

export class RowList {
  labelsId = "teach-labels";
  #list;
  #known;
  #say;
  #onChange;
  #kind = "labels";
  #items = [];
  #open = null;
  #made = 0;

  /** @param known a datalist for the labels in use @param say for screen readers and eyes @param onChange called after each change */
  constructor(list, known, say, onChange) {
    this.#list = list;
    this.#known = known;
    known.id = this.labelsId;
    this.#say = say;
    this.#onChange = onChange;
    new ResizeObserver(() => {
      for (const { fields } of this.#items) fields.fit?.();
    }).observe(list);
  }

  get rows() {
    return this.#items.map(({ row }) => row);
  }

  /** Other rows, all of one kind. */
  set(kind, rows) {
    this.#kind = kind;
    this.#items = [];
    this.#open = null;
    this.#list.replaceChildren();
    this.add(rows);
  }

  add(rows) {
    const made = rows.map((row) => this.#itemOf(row));
    this.#items.push(...made);
    this.#list.append(...made.map(({ item }) => item));
    for (const { fields } of made) fields.fit?.();
    this.changed();
    return made;
  }

  /** The first row that has something wrong. */
  focusProblem() {
    const wrong = problemsOf(this.#kind, this.rows).findIndex((problem) => problem !== null);
    this.#items[wrong]?.item.scrollIntoView({ block: "nearest" });
    this.#items[wrong]?.fields.focus();
  }

  /** A row was changed, added or removed. */
  changed() {
    const problems = problemsOf(this.#kind, this.rows);
    for (const [index, { item, fields, number, problem }] of this.#items.entries()) {
      const text = problems[index];
      if (number.textContent !== String(index + 1)) {
        number.textContent = index + 1;
        fields.setNumber(index + 1);
        item.querySelector(".remove").setAttribute("aria-label", `Remove row ${index + 1}`);
      }
      if (problem.textContent === (text ?? "")) continue;
      problem.textContent = text ?? "";
      item.classList.toggle("wrong", text !== null);
      fields.setProblem(text, problem.id);
    }
    this.#known.replaceChildren(...(this.#kind === "labels" ? this.labels() : []).map((label) => Object.assign(document.createElement("option"), { value: label })));
    this.#onChange();
  }

  labels() {
    return [...countLabels(this.#kind, this.rows).keys()];
  }

  say(text) {
    this.#say(text);
  }

  opened(fields) {
    this.#open?.close();
    this.#open = fields;
  }

  #itemOf(row) {
    const id = `teach-row-${this.#made++}`;
    const fields = this.#kind === "labels" ? new LabelRow(row, this) : new SpanRow(row, this, id);
    const number = element("span", "row-number");
    const problem = element("p", "problem");
    problem.id = id;
    const remove = element("button", "remove", "×");
    remove.type = "button";
    const item = element("li", "row", number, fields.element, remove, problem);
    const made = { row, item, fields, number, problem };
    remove.addEventListener("click", () => this.#remove(made));
    return made;
  }

  #remove(made) {
    const at = this.#items.indexOf(made);
    this.#items.splice(at, 1);
    made.item.remove();
    this.changed();
    (this.#items[at] ?? this.#items.at(-1))?.fields.focus();
  }
}

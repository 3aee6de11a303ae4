import { element } from "../cards.js";

/** The fields of a row { text, label }. */
export class LabelRow {
  element;
  #label = element("input", "field label-field");
  #text = element("input", "field");
  #row;

  /** @param list the row list that it belongs to: `changed()`, `labelsId` */
  constructor(row, list) {
    this.#row = row;
    this.#label.setAttribute("list", list.labelsId);
    this.#label.placeholder = "Label";
    this.#text.placeholder = "Text";
    for (const input of [this.#label, this.#text]) Object.assign(input, { type: "text", autocomplete: "off", spellcheck: false });
    this.#label.value = row.label;
    this.#text.value = row.text;
    this.element = element("div", "fields", this.#label, this.#text);
    this.element.addEventListener("input", () => {
      Object.assign(row, { label: this.#label.value, text: this.#text.value, problem: null });
      list.changed();
    });
  }

  setNumber(number) {
    this.#label.setAttribute("aria-label", `Row ${number}: label`);
    this.#text.setAttribute("aria-label", `Row ${number}: text`);
  }

  /** Marks the field that is wrong; `id` is where it is said what is wrong with it. */
  setProblem(problem, id) {
    const wrong = problem === null ? null : this.#row.label.trim() === "" && this.#row.text.trim() !== "" ? this.#label : this.#text;
    for (const input of [this.#label, this.#text]) {
      input.toggleAttribute("aria-invalid", input === wrong);
      if (input === wrong) {
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-describedby", id);
      } else input.removeAttribute("aria-describedby");
    }
  }

  focus() {
    const wrong = this.element.querySelector("[aria-invalid]");
    (wrong ?? this.#label).focus();
  }
}

// The panel "Teach it": rows in, an adapter out. Loaded when it is opened; the encoder's worker trains.
import { percent } from "../../../dist/report/figures.js";
import { element } from "../cards.js";
import { asTraining, countLabels, holdOut, MOST, optionsFor, problemsOf, whyNot } from "./check-rows.js";
import { EXAMPLES } from "./examples.js";
import { offerZip } from "./folder-zip.js";
import { forgetRows, keepRows, keptRows } from "./kept-rows.js";
import { readRows } from "./read-rows.js";
import { RowList } from "./row-list.js";
import { TrainingView } from "./training-view.js";

const HOW = {
  labels: { paste: "One row a line: label | text (or a tab between them, or JSON: { text, label })", placeholder: "billing | I was charged twice" },
  spans: { paste: "One text a line, entities as [words](label), or JSON: { text, spans } or { tokens, tags }", placeholder: "The [Nimbus 4](product) is back" },
};

const at = (id) => document.getElementById(`teach-${id}`);

/** A held-out row that it had wrong: what it should have said, and what it said. */
function mistake({ text, expected, predicted }) {
  const said = (answer) => (Array.isArray(answer) ? answer.map((one) => (typeof one === "string" ? one : `${text.slice(one.start, one.end)}: ${one.label}`)).join(", ") || "nothing" : String(answer));
  return element("li", "", element("span", "mistake", text), element("span", "hint", `is ${said(expected)}; it says ${said(predicted)}`));
}

/** @param page `{ encoder, ready, addTask, setText }` of main.js */
export function openPanel(page) {
  let kind = "labels";
  let running = null;
  const say = (text) => (at("said").textContent = text);
  const view = new TrainingView(at("bar"), at("progress"), at("curves"), say);
  const list = new RowList(at("rows"), at("known"), (text) => (say(text), (at("note").textContent = text)), changed);

  function changed() {
    const { rows } = list;
    const counts = [...countLabels(kind, rows)].map(([label, count]) => `${label} ${count}`);
    at("count").textContent = rows.length === 0 ? "No rows yet" : `${rows.length} ${rows.length === 1 ? "row" : "rows"}${counts.length === 0 ? "" : `: ${counts.slice(0, 12).join(", ")}${counts.length > 12 ? ", …" : ""}`}`;
    const problem = whyNot(kind, rows);
    at("why").textContent = problem ?? "";
    at("train").disabled = problem !== null || running !== null || !page.isReady();
    at("problem").hidden = !problemsOf(kind, rows).some((text) => text !== null);
    at("note").textContent = "";
    for (const id of ["list", "clear", "keep-line"]) at(id).hidden = rows.length === 0;
    if (at("keep").checked && !keepRows(kind, at("name").value, rows)) {
      at("keep").checked = false;
      at("note").textContent = "This browser keeps nothing for this page.";
    }
  }

  function choose(next, rows, title) {
    kind = next;
    at(`kind-${kind}`).checked = true;
    at("example").textContent = `Try it with 24 rows: ${EXAMPLES[kind].title.toLowerCase()}`;
    at("paste-hint").textContent = HOW[kind].paste;
    at("paste").placeholder = HOW[kind].placeholder;
    at("name").value = title;
    list.set(kind, rows);
  }

  function add(rows) {
    const room = MOST - list.rows.length;
    const added = list.add(rows.slice(0, room));
    if (rows.length > room) at("note").textContent = `${rows.length - room} rows were left out: ${MOST} are the most here. rootstock train takes any number.`;
    return added;
  }

  async function train() {
    const { rows } = list;
    const title = at("name").value.trim() || "My task";
    const name = `my-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 40) || "task"}`;
    const { train: taught, dev } = holdOut(kind, rows);
    running = new AbortController();
    show("running");
    view.begin(kind);
    at("cancel").focus();
    say(`Training begins, with ${taught.length} rows; ${dev.length} are held out.`);
    try {
      const part = (indices) => indices.map((index) => asTraining(kind, rows[index]));
      const numbers = { train: taught.map((index) => index + 1), dev: dev.map((index) => index + 1) };
      const { history, files } = await page.encoder.call("train", { name, train: part(taught), dev: part(dev), numbers, options: optionsFor(taught.length) }, { signal: running.signal, onProgress: (progress) => view.show(progress) });
      view.end(history);
      await done({ title, name, history, files, tryText: tryText(rows, dev) });
    } catch (error) {
      show("idle");
      at("note").textContent = error.name === "AbortError" ? "Cancelled. Nothing was changed." : error.message;
      say(at("note").textContent);
      at("train").focus();
    } finally {
      running = null;
      at("train").disabled = whyNot(kind, list.rows) !== null;
    }
  }

  function tryText(rows, dev) {
    const { lines, tryText: text } = EXAMPLES[kind];
    const isExample = readRows(kind, lines).every((row, index) => row.text === rows[index]?.text);
    return isExample ? text : (rows[dev[0]] ?? rows[0]).text;
  }

  async function done({ title, name, history, files, tryText: text }) {
    show("done");
    const right = history.best === null ? "" : ` ${history.metric === "accuracy" ? "Accuracy" : "Span F1"} on rows that it did not see: ${percent(history.best.metric)}.`;
    at("result").textContent = `“${title}” is learned, in ${history.seconds.toFixed(1)} s.${right}`;
    at("mistakes").replaceChildren(...(history.mistakes ?? []).slice(0, 5).map(mistake));
    at("mistakes-head").hidden = (history.mistakes ?? []).length === 0;
    const bytes = offerZip(at("download"), name, files);
    at("download").textContent = `Download the adapter (${Math.round(bytes / 1000)} kB)`;
    at("try").onclick = () => page.setText(text);
    at("try").textContent = `Try it on “${text.length > 60 ? `${text.slice(0, 58)}…` : text}”`;
    say(`${at("result").textContent} It is a task now.`);
    at("try").focus();
    const names = [...countLabels(kind, list.rows).keys()];
    const labels = names.slice(0, 6).join(", ") + (names.length > 6 ? ", …" : "");
    await page.addTask({ name, title, about: `Taught here: ${labels}`, ...(kind === "spans" ? { marks: "above" } : {}) });
  }

  function show(state) {
    at("panel").dataset.state = state;
    at("form").disabled = state === "running";
    at("running").hidden = state === "idle";
    at("cancel").hidden = state !== "running";
    at("bar").hidden = state !== "running";
    at("progress").hidden = state !== "running";
    at("done").hidden = state !== "done";
  }

  for (const one of ["labels", "spans"]) at(`kind-${one}`).addEventListener("change", () => choose(one, [], ""));
  at("example").addEventListener("click", () => {
    choose(kind, readRows(kind, EXAMPLES[kind].lines), EXAMPLES[kind].title);
    at("train").focus();
  });
  at("add-pasted").addEventListener("click", () => {
    const rows = readRows(kind, at("paste").value);
    at("paste").value = "";
    add(rows);
    say(`${rows.length} rows added. ${at("why").textContent}`);
    if (!at("problem").hidden) list.focusProblem();
  });
  at("add").addEventListener("click", () => add([{ text: "", problem: null, ...(kind === "labels" ? { label: "" } : { spans: [] }) }])[0]?.fields.focus());
  at("clear").addEventListener("click", () => {
    list.set(kind, []);
    at("example").focus();
  });
  at("problem").addEventListener("click", () => list.focusProblem());
  at("train").addEventListener("click", train);
  at("cancel").addEventListener("click", () => running?.abort());
  at("keep").addEventListener("change", () => (at("keep").checked ? changed() : forgetRows()));
  at("name").addEventListener("input", changed);
  page.ready.then(changed);

  const kept = keptRows();
  show("idle");
  at("keep").checked = kept !== null;
  choose(kept?.kind ?? "labels", kept === null ? [] : readRows(kept.kind, kept.lines.join("\n")), kept?.title ?? "");
}

// The page: text in, marks and cards out. The work is done by encoder-worker.js.
import { TaskCard } from "./cards.js";
import { EncoderClient } from "./encoder-client.js";
import { drawMarks, fitLabels, shiftSpans } from "./marks.js";
import { drawMeter, megabytes, milliseconds } from "./meters.js";
import { readable, SAMPLES, TASKS } from "./tasks.js";

const at = (id) => document.getElementById(id);
const encoder = new EncoderClient(new URL("encoder-worker.js", import.meta.url));
const textArea = at("text");
const cards = new Map();
/** Those of the package, and before them those that are taught here. */
const tasks = [...TASKS];
/** Tasks whose adapter is on the encoder. */
const added = new Set();
let spans = [];
/** The text as it is marked. */
let shown = SAMPLES[0].text;
let current = new AbortController();
let timer = 0;
let summaryTimer = 0;
/** Adding and removing happen one after the other, in the order they were asked for. */
let swaps = Promise.resolve();
let setReady;
/** The encoder is there. */
const ready = new Promise((resolve) => (setReady = resolve));

async function load() {
  const panel = at("load");
  panel.dataset.state = "loading";
  at("retry").hidden = true;
  at("load-text").textContent = "Loading the encoder";
  try {
    const { ms, info } = await encoder.call("load", {}, { onProgress: showProgress });
    panel.dataset.state = "ready";
    at("load-text").textContent = `Ready in ${milliseconds(ms)}`;
    showMemory(info);
    added.clear();
    for (const card of cards.values()) card.enable();
    setReady();
    await choose(SAMPLES[0].tasks);
  } catch (error) {
    panel.dataset.state = "failed";
    at("load-text").textContent = error.message;
    at("retry").hidden = false;
  }
}

let announcedTenth = -1;
function showProgress({ done, total }) {
  at("load-progress").max = total;
  at("load-progress").value = done;
  const tenth = Math.floor((10 * done) / total);
  // A screen reader would read every one of them.
  if (tenth === announcedTenth) return;
  announcedTenth = tenth;
  at("load-text").textContent = `Loading ${megabytes(done)} of ${megabytes(total)}`;
}

/** Turns these tasks on and the others off. */
function choose(names) {
  for (const { name } of tasks) {
    const isOn = names.includes(name);
    cards.get(name).set(isOn);
    if (isOn !== added.has(name)) swap(name, isOn);
  }
  return swaps;
}

function swap(name, isOn) {
  swaps = swaps.then(async () => {
    const task = tasks.find((known) => known.name === name);
    const card = cards.get(name);
    try {
      if (isOn === added.has(name)) return;
      const { info, ms } = await encoder.call(isOn ? "add" : "remove", { name, adapter: task.adapter });
      if (isOn) added.add(name);
      else added.delete(name);
      const bytes = info.tasks.find((known) => known.name === name)?.bytes;
      card.showState(isOn, isOn ? `${Math.round(bytes / 1000)} kB, added in ${milliseconds(ms)}` : "");
      showMemory(info);
    } catch (error) {
      card.set(false);
      card.showError(error.message);
    }
    await run();
  });
}

/** Runs the tasks that are on over the text as it is now; a run that is under way for an older text ends. */
async function run() {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const text = textArea.value;
  const wanted = tasks.map(({ name }) => name).filter((name) => added.has(name));
  if (text.trim() === "" || wanted.length === 0) return showResults({}, text);
  try {
    const { results, sharedMs, ownMs, info } = await encoder.call("run", { text, tasks: wanted }, { signal });
    showResults(results, text);
    showTime(sharedMs, ownMs);
    showMemory(info);
  } catch (error) {
    if (!signal.aborted) at("text-hint").textContent = error.message;
  }
}

function showResults(results, text) {
  spans = tasks.filter(({ name, marks }) => marks !== undefined && results[name] !== undefined).flatMap(({ name, marks }) =>
    results[name].map((span) => ({ ...span, marks })),
  );
  drawMarks(at("marks"), text, spans);
  for (const { name } of tasks) if (added.has(name)) cards.get(name).showResult(results[name] ?? []);
  at("text-hint").textContent = "Type or paste anything in English. Entities are marked as you type.";
  announce(results);
}

/** For screen readers, when the text has been left alone for a moment. */
function announce(results) {
  clearTimeout(summaryTimer);
  const parts = tasks.filter(({ name }) => results[name] !== undefined).map(({ name, title }) => {
    const said = results[name].slice(0, results[name][0]?.entity_group === undefined ? 1 : 5);
    const words = said.map(({ entity_group, word, label }) => (label === undefined ? `${word}, ${readable(entity_group)}` : readable(label)));
    return `${title}: ${words.join("; ") || "nothing found"}.`;
  });
  summaryTimer = setTimeout(() => (at("summary").textContent = parts.join(" ")), 900);
}

function showTime(sharedMs, ownMs) {
  drawMeter(at("time"), "Time", milliseconds(sharedMs + ownMs), [
    { name: "Tokens and shared layers, once", value: sharedMs, text: milliseconds(sharedMs) },
    { name: "Adapted layers and heads", value: ownMs, text: milliseconds(ownMs) },
  ]);
}

function showMemory({ memory }) {
  drawMeter(at("memory"), "Memory", megabytes(memory.total), [
    { name: "Encoder", value: memory.weights, text: megabytes(memory.weights) },
    { name: "Workspace", value: memory.workspace, text: megabytes(memory.workspace) },
    { name: "Adapters", value: memory.adapters, text: megabytes(memory.adapters) },
  ]);
}

/** Marks move with the text until the next result, so that they never stand behind other words. */
function keepMarks(before, after) {
  spans = shiftSpans(spans, before, after);
  drawMarks(at("marks"), after, spans);
}

/** A task that was taught in this page: another switch, which is turned on. */
function addTask(task) {
  const known = tasks.findIndex(({ name }) => name === task.name);
  if (known >= 0) {
    tasks.splice(known, 1, task);
    cards.get(task.name).element.remove();
  } else tasks.unshift(task);
  added.delete(task.name);
  const card = makeCard(task);
  at("cards").prepend(card.element);
  card.enable();
  card.set(true);
  swap(task.name, true);
  return swaps;
}

function makeCard(task) {
  const card = new TaskCard(task, (isOn) => swap(task.name, isOn));
  cards.set(task.name, card);
  return card;
}

/** The panel's code, and that of training, come when they are asked for. */
async function openTeach() {
  const button = at("teach-open");
  button.disabled = true;
  try {
    const { openPanel } = await import("./teach.js");
    openPanel({ encoder, ready, isReady: () => at("load").dataset.state === "ready", addTask, setText });
    at("teach-panel").hidden = false;
    button.hidden = true;
    at("teach-example").focus();
  } catch (error) {
    button.disabled = false;
    at("teach-fault").textContent = error.message;
  }
}

/** The text is another now. */
function changed() {
  keepMarks(shown, textArea.value);
  shown = textArea.value;
  current.abort();
  clearTimeout(timer);
  timer = setTimeout(run, 80);
}

function setText(text) {
  textArea.value = text;
  changed();
  textArea.focus();
}

function start() {
  at("cards").append(...tasks.map((task) => makeCard(task).element));
  textArea.value = shown;
  drawMarks(at("marks"), shown, []);
  textArea.addEventListener("input", changed);
  new ResizeObserver(() => fitLabels(at("marks"))).observe(at("marks"));
  for (const { title, text, tasks } of SAMPLES) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: title });
    button.addEventListener("click", () => {
      textArea.value = text;
      changed();
      if (at("load").dataset.state === "ready") choose(tasks);
    });
    at("samples").append(button);
  }
  at("teach-open").addEventListener("click", openTeach);
  at("retry").addEventListener("click", load);
  at("forget").addEventListener("click", async () => {
    await encoder.call("forget");
    at("forget").textContent = "Deleted; it is fetched again on the next visit";
  });
  showTime(0, 0);
  drawMeter(at("memory"), "Memory", "–", []);
  load();
}

start();

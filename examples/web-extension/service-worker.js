// Runs the tasks for all tabs. Browsers end an idle service worker after half a minute; the next message starts it and loads again,
// from the extension's own files, in a fraction of a second.
import { loadEncoder } from "rootstock";

const models = chrome.runtime.getURL("models");
let opening = null;

async function open() {
  const encoder = await loadEncoder(`${models}/mtpf-minilm-l6`, { adapterBudget: 4 << 20 });
  await encoder.addAdapter("entities", `${models}/adapters/wikigold`);
  await encoder.addAdapter("mood", `${models}/adapters/vader-sentiment`);
  return encoder;
}

/** The one encoder; a failed attempt is not kept. */
function encoder() {
  opening ??= open().catch((error) => {
    opening = null;
    throw error;
  });
  return opening;
}

async function answer({ text }) {
  try {
    return { results: await (await encoder()).run(text, ["entities", "mood"], { overflow: "windows" }) };
  } catch (error) {
    return { error: error.message };
  }
}

// Registered at once and not after a wait: a worker that was started for a message must find its listener.
chrome.runtime.onMessage.addListener((message, _sender, respond) => {
  answer(message).then(respond);
  return true; // the answer comes later
});

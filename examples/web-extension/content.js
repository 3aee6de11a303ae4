// In every page: asks the service worker about the text that is selected, and shows its answer below the selection.
const host = document.createElement("rootstock-entities");
const panel = host.attachShadow({ mode: "open" });
const style = new CSSStyleSheet();
style.replaceSync(`
  :host { all: initial; position: absolute; z-index: 2147483647; max-width: 24rem; padding: 0.5rem 0.75rem; border-radius: 0.5rem;
    background: #17211b; color: #fff; font: 14px/1.5 system-ui, sans-serif; box-shadow: 0 4px 16px rgb(0 0 0 / 30%); }
  b { color: #8fe0b4; font-weight: 600; }
`);
panel.adoptedStyleSheets = [style];

function show(lines, box) {
  panel.replaceChildren(
    ...lines.map(([label, words]) => {
      const line = document.createElement("div");
      const name = document.createElement("b");
      name.textContent = label;
      line.append(name, ` ${words}`);
      return line;
    }),
  );
  host.setAttribute("role", "status");
  host.style.left = `${box.left + scrollX}px`;
  host.style.top = `${box.bottom + scrollY + 8}px`;
  document.documentElement.append(host);
}

document.addEventListener("selectionchange", () => host.remove());

for (const event of ["mouseup", "keyup"]) {
  document.addEventListener(event, async () => {
    const selection = getSelection();
    const text = selection.toString();
    if (text.trim() === "" || selection.rangeCount === 0) return;
    const { results, error } = await chrome.runtime.sendMessage({ text });
    if (getSelection().toString() !== text) return; // something else is selected by now
    const box = getSelection().getRangeAt(0).getBoundingClientRect();
    if (error !== undefined) return show([["Error", error]], box);
    const found = results.entities.map(({ entity_group, word }) => [entity_group, word]);
    show([...found, ["Mood", `${results.mood[0].label} ${Math.round(results.mood[0].score * 100)} %`]], box);
  });
}

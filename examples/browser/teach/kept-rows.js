// Rows that are to be there after the page is closed: in this browser alone, and only where that was asked for.
const KEY = "rootstock-taught-rows";

/** null where nothing was kept. */
export function keptRows() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return (kept?.kind === "labels" || kept?.kind === "spans") && typeof kept.title === "string" && Array.isArray(kept.lines) ? kept : null;
  } catch {
    return null; // no storage here, or not ours
  }
}

/** Were they kept? A full or refused storage says no. */
export function keepRows(kind, title, rows) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ kind, title, lines: rows.map(({ text, label, spans }) => JSON.stringify({ text, label, spans })) }));
    return true;
  } catch {
    return false;
  }
}

export function forgetRows() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing is kept where nothing can be.
  }
}

// Parts of a Markdown page that are made: each stands between <!-- mtpf:NAME --> and <!-- /mtpf:NAME -->. The rest is written by hand.

/**
 * @param {string} page
 * @param {Map<string, string[]>} parts lines of each, by name
 * @throws when a mark of the page has no part, a part no mark, or a mark no end
 */
export function fillMarks(page, parts) {
  const used = new Set();
  const filled = page.replace(/<!-- mtpf:([a-z0-9-]+) -->\n[^]*?<!-- \/mtpf:([a-z0-9-]+) -->/g, (_, name, end) => {
    if (name !== end) throw new Error(`the mark ${name} ends at ${end}`);
    const lines = parts.get(name);
    if (lines === undefined) throw new Error(`the page has a mark ${name}, and nothing is made for it`);
    used.add(name);
    return [`<!-- mtpf:${name} -->`, ...lines, `<!-- /mtpf:${name} -->`].join("\n");
  });
  const missing = [...parts.keys()].filter((name) => !used.has(name));
  if (missing.length > 0) throw new Error(`the page has no marks for ${missing.join(", ")}`);
  return filled;
}

/** Lines of a Markdown table; the first column to the left, others to the right. */
export function markdownTable(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), `| --- |${" ---: |".repeat(head.length - 1)}`, ...rows.map(line)];
}

// Lines that were pasted or written, read as rows: { text, label } or { text, spans }, and `problem` where a line is not what it should be.

/** "label | text" or "label<TAB>text", or { text, label } as JSON. */
function labelRow(line) {
  const { value, problem } = jsonOf(line);
  if (problem !== null) return { text: line, label: "", problem };
  if (value !== null) {
    if (typeof value.text !== "string" || typeof value.label !== "string") return { text: String(value.text ?? line), label: "", problem: "JSON rows here are { text, label }" };
    return { text: value.text.trim(), label: value.label.trim(), problem: null };
  }
  const at = line.includes("\t") ? line.indexOf("\t") : line.indexOf("|");
  if (at < 0) return { text: line, label: "", problem: null };
  return { text: line.slice(at + 1).trim(), label: line.slice(0, at).trim(), problem: null };
}

/** "The [Nimbus 4](product) is new", or { text, spans } or { tokens, tags } as JSON. */
function spanRow(line) {
  const { value, problem } = jsonOf(line);
  if (problem !== null) return { text: line, spans: [], problem };
  if (value === null) return { ...withoutBrackets(line), problem: null };
  if (Array.isArray(value.tokens)) return ofTokens(value);
  if (typeof value.text !== "string" || !Array.isArray(value.spans)) return { text: line, spans: [], problem: "JSON rows here are { text, spans } or { tokens, tags }" };
  const { text } = value;
  const isSpan = (span) => Number.isInteger(span?.start) && Number.isInteger(span.end) && 0 <= span.start && span.start < span.end && span.end <= text.length && typeof span.label === "string" && span.label !== "";
  const spans = value.spans.filter(isSpan).map(({ start, end, label }) => ({ start, end, label })).sort((a, b) => a.start - b.start);
  const wrong = value.spans.find((span) => !isSpan(span));
  if (wrong !== undefined) return { text, spans, problem: `A span must have a label and lie in the text, from 0 to ${text.length}: ${JSON.stringify(wrong).slice(0, 80)}` };
  const doubled = spans.find((span, index) => index > 0 && span.start < spans[index - 1].end);
  return { text, spans: spans.filter((span) => span !== doubled), problem: doubled === undefined ? null : "Two spans of it overlap" };
}

function jsonOf(line) {
  if (!line.startsWith("{")) return { value: null, problem: null };
  try {
    return { value: JSON.parse(line), problem: null };
  } catch (error) {
    return { value: null, problem: `Not JSON: ${error.message}` };
  }
}

function withoutBrackets(line) {
  const spans = [];
  let text = "";
  let from = 0;
  for (const { 0: whole, 1: words, 2: label, index } of line.matchAll(/\[([^[\]]+)\]\(([^()]+)\)/g)) {
    text += line.slice(from, index);
    spans.push({ start: text.length, end: text.length + words.length, label: label.trim() });
    text += words;
    from = index + whole.length;
  }
  return { text: text + line.slice(from), spans };
}

function ofTokens({ tokens, tags }) {
  const words = tokens.map(String);
  const text = words.join(" ");
  if (!Array.isArray(tags) || tags.length !== words.length) return { text, spans: [], problem: `${words.length} tokens need as many tags` };
  const spans = [];
  let start = 0;
  for (const [index, word] of words.entries()) {
    const [, mark, label] = /^([BI])-(.+)$/.exec(String(tags[index])) ?? [];
    if (mark === undefined && tags[index] !== "O") return { text, spans, problem: `Tags are O, B-LABEL and I-LABEL, not ${String(tags[index]).slice(0, 40)}` };
    const last = spans.at(-1);
    if (mark === "I" && last?.label === label && last.end === start - 1) last.end = start + word.length;
    else if (mark !== undefined) spans.push({ start, end: start + word.length, label });
    start += word.length + 1;
  }
  return { text, spans, problem: null };
}

/** @param kind "labels" or "spans" */
export function readRows(kind, pasted) {
  const lines = pasted.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  return lines.map(kind === "labels" ? labelRow : spanRow);
}

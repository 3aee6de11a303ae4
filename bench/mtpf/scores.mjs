// Metrics of predictions, by the library's own code, and what each test row adds to them: so much is kept of a cell, and it is all that resampling needs.
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { classificationReport } from "../../dist/metrics/classification.js";
import { spanReport, tagsToSpans } from "../../dist/metrics/spans.js";

/**
 * @param {{ kind: "ner" | "tc" }} task
 * @param {object[]} rows with `tags`, or `label`
 * @param {(string[] | string)[]} predicted tags of each row's words, or its label
 * @returns `metric` is span micro-F1 or accuracy, in [0, 1]; the other figures beside it
 */
export function score({ kind }, rows, predicted) {
  if (kind === "tc") {
    const { accuracy, macroF1 } = classificationReport(rows.map(({ label }) => label), predicted);
    return { metric: accuracy, macroF1 };
  }
  const { f1, precision, recall } = spanReport(rows.map(({ tags }) => tags), predicted);
  return { metric: f1, precision, recall };
}

/**
 * Spans of each row (a text's label counts as one): found, predicted, and there. The metric is 2·Σ found / (Σ predicted + Σ there), of
 * texts the accuracy.
 * @returns {{ found: Uint8Array, predicted: Uint8Array, there: Uint8Array }}
 */
export function outcomesOf({ kind }, rows, predicted) {
  const out = { found: new Uint8Array(rows.length), predicted: new Uint8Array(rows.length).fill(1), there: new Uint8Array(rows.length).fill(1) };
  rows.forEach((row, i) => {
    if (kind === "tc") return void (out.found[i] = row.label === predicted[i] ? 1 : 0);
    const key = ({ label, start, end }) => `${start} ${end} ${label}`;
    const there = new Set(tagsToSpans(row.tags).map(key));
    const guesses = tagsToSpans(predicted[i]).map(key);
    out.there[i] = there.size;
    out.predicted[i] = guesses.length;
    out.found[i] = guesses.filter((span) => there.has(span)).length;
  });
  return out;
}

/** @returns {number} */
export function metricOf(found, predicted, there) {
  return predicted + there === 0 ? 0 : (2 * found) / (predicted + there);
}

/** Outcomes as a line of text: the three lists one after the other, deflated, base64. */
export function packOutcomes({ found, predicted, there }) {
  return deflateRawSync(Buffer.concat([found, predicted, there]), { level: 9 }).toString("base64");
}

export function unpackOutcomes(text) {
  const bytes = inflateRawSync(Buffer.from(text, "base64"));
  const rows = bytes.length / 3;
  const part = (index) => new Uint8Array(bytes.subarray(index * rows, (index + 1) * rows));
  return { found: part(0), predicted: part(1), there: part(2) };
}

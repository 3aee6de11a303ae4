import { describe, expect, it } from "vitest";
import { html } from "../../src/report/markup.ts";
import { trainingReport } from "../../src/report/training-report.ts";
import { CLASSES, history, hostileHistory, NER_LABELS } from "./histories.ts";

const ner = history({ kind: "ner", labels: NER_LABELS });

/** Elements of a page by name, counted by their opening tags; what stands in attributes cannot hold "<". */
function elements(page: string): Set<string> {
  return new Set([...page.matchAll(/<([a-z0-9!]+)/g)].map(([, name]) => name!));
}

const ELEMENTS = new Set([
  "!doctype", "html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "h3", "p", "small", "wbr", "dl", "div", "dt", "dd", "ul", "ol", "li", "b", "i", "span", "mark",
  "figure", "figcaption", "svg", "desc", "g", "path", "text", "rect", "circle", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary",
]); // prettier-ignore

describe("html", () => {
  it("escapes all that is put in, and nothing twice", () => {
    const inner = html`<b title="${`"'`}">${"<&>"}</b>`;
    expect(html`<p>${inner}${[inner, "&amp;", 1.5, null]}</p>`.toString()).toBe(
      "<p><b title=\"&quot;&#39;\">&lt;&amp;&gt;</b><b title=\"&quot;&#39;\">&lt;&amp;&gt;</b>&amp;amp;1.5</p>",
    );
  });

  it("replaces what HTML forbids and what turns the direction of a page, and keeps the rest", () => {
    expect(html`${"a\u0000\u001b\u009f\u202e\u2066\ud800\udc00\udfff\n\tŁ😞\u200f"}`.toString()).toBe("a\ufffd\ufffd\ufffd\ufffd\ufffd\ud800\udc00\ufffd\n\tŁ😞\u200f");
  });

  it("takes nobody else's object for markup", () => {
    const forged = { toString: () => "<script>" } as unknown as string;
    expect(() => html`${forged}`).toThrow(TypeError);
  });
});

describe("trainingReport", () => {
  it("is one file: no script, no link, no address, and a policy that lets it load nothing", () => {
    for (const shape of [{ kind: "ner", labels: NER_LABELS }, { kind: "classification", labels: CLASSES }, { kind: "multi-label", labels: CLASSES }] as const) {
      const page = trainingReport(history(shape));
      expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;">`);
      expect([...elements(page)].filter((name) => !ELEMENTS.has(name))).toEqual([]);
      expect(/ (?:src|href|on[a-z]+)=|url\(|@import/.exec(page)).toBeNull();
    }
  });

  it("is the same for the same history", () => {
    expect(trainingReport(ner)).toBe(trainingReport(structuredClone(ner)));
  });

  it.each(["ner", "classification", "multi-label"] as const)("escapes hostile labels, texts, settings and warnings, and draws past numbers that are none (%s)", (kind) => {
    const page = trainingReport(hostileHistory(kind));
    expect([...elements(page)].filter((name) => !ELEMENTS.has(name))).toEqual([]);
    // Pages are long: what is found is shown, not what it was looked for in.
    const found = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([text]) => text);
    expect(found(/<\/(?:script|style)>/g)).toEqual(["</style>"]);
    expect(["\u0000", "\u202e"].filter((unit) => page.includes(unit))).toEqual([]);
    expect(found(/\p{Surrogate}/gu)).toEqual([]);
    expect(found(/="[^"]*(?:NaN|Infinity)|undefined/g)).toEqual([]);
    expect(found(/&lt;script&gt;alert\(1\)&lt;\/script&gt;/g).length).toBeGreaterThan(50);
    expect(found(/and 51 more/g)).toHaveLength(1);
  });

  it("says in words what its charts draw", () => {
    const page = trainingReport(ner);
    expect(page).toContain(`<svg viewBox="0 0 340 200" role="img"><title>Dev span F1</title><desc>span F1: from 49.7 % at step 90 to 64.8 % at step 540; lowest 49.7 % at step 90, highest 65.9 % at step 450. Best: 65.9 % at step 450.</desc>`);
    expect(page).toMatch(/<desc>train: from [\d.]+ at step \d to [\d.]+ at step 539; .* dev: from [\d.]+ at step 90 to /);
  });

  it("marks expected and predicted spans, each with its label and in words what it is", () => {
    const page = trainingReport(ner);
    const text = (row: number): string => page.split("<li><dl>")[row]!.replace(/<\/?(?:dt|dd|dl|b|span)[^>]*>/g, "");
    expect(text(1)).toContain(`From Green Newsfeed : <mark class="right" title="group, right">AHFAgroup (right)</mark> extends`);
    expect(text(1)).toContain(`<mark class="wrong" title="product, not expected">Sage Awardproduct (not expected)</mark>`);
    expect(text(2)).toContain(`<mark class="missed" title="location, missed">Empire State Buildinglocation (missed)</mark> = <mark`);
  });

  it("shows a long text around what differs", () => {
    const text = `${"before ".repeat(60)}Ada${" after".repeat(60)}`;
    const at = text.indexOf("Ada");
    const page = trainingReport({ ...ner, mistakes: [{ text, expected: [{ start: at, end: at + 3, label: "person" }], predicted: [], loss: 3 }] });
    const [, shown] = /<dt>Expected<\/dt><dd><span class="text" dir="auto">(.*?)<mark/.exec(page)!;
    expect(shown).toMatch(/^… (?:before ){12,26}$/);
  });

  it("has a row for every entity, the worst first", () => {
    const [, body] = /<caption>Precision, recall, F1 and support by entity<\/caption>[^]*?<tbody>([^]*?)<\/tbody>/.exec(trainingReport(ner))!;
    const names = [...body!.matchAll(/<th scope="row" class="words">(.*?)<\/th>/g)].map(([, name]) => name!);
    expect(names).toEqual([...ner.perEntity!].sort((a, b) => a.f1 - b.f1).map(({ label }) => label));
  });

  it("shows a matrix of few labels and their rates in figures", () => {
    const counts = [[8, 2], [1, 9]];
    const perEntity = [{ label: "ham", precision: 8 / 9, recall: 0.8, f1: 16 / 19, support: 10 }, { label: "spam", precision: 9 / 11, recall: 0.9, f1: 6 / 7, support: 10 }];
    const page = trainingReport({ ...history({ kind: "classification", labels: ["ham", "spam"] }), confusion: { labels: ["ham", "spam"], counts }, perEntity });
    expect(page).toContain(`<th scope="row" class="words">ham</th><td class="number">88.9</td><td class="number">80.0</td><td class="number">84.2<`);
    expect(page).toContain(`<th scope="row" class="words">spam</th><td class="number heat-0 cold-1">1</td><td class="number heat-6">9</td>`.replace("heat-0 ", ""));
  });

  it("shows many labels as tints, their worst ones and pairs in figures", () => {
    const labels = Array.from({ length: 150 }, (_, index) => `label-${index}`);
    const counts = labels.map((_, row) => labels.map((_label, column) => (row === column ? 10 : row === 3 && column === 77 ? 30 : 0)));
    const page = trainingReport({ ...history({ kind: "classification", labels }), confusion: { labels, counts } });
    expect(page).toContain("<title>expected label-3, predicted label-77: mistaken 75.0 %</title>");
    expect(page).toContain(`<th scope="row" class="words">label-3</th><td class="words">label-77</td><td class="number">30</td><td class="number">75.0 %</td>`);
    expect(page).toContain("<summary>All 150</summary>");
  });

  it("does without dev rows, and without a single step", () => {
    const none = history({ kind: "ner", labels: NER_LABELS, dev: false });
    expect(trainingReport(none)).toContain("There were no dev rows");
    expect(trainingReport(none)).not.toContain("Dev span F1");
    const page = trainingReport({ ...none, steps: [], warnings: [], seconds: 0, tokens: 0, settings: {} });
    expect(page.match(/Nothing was measured\./g)).toHaveLength(3);
    expect(/NaN|Infinity|undefined/.exec(page)).toBeNull();
  });
});

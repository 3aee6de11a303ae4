import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countAxis, roundAxis } from "../../src/report/axis.ts";
import { buckets, type Point } from "../../src/report/buckets.ts";
import { duration, percent, short } from "../../src/report/figures.ts";
import { heatMap } from "../../src/report/heat-map.ts";
import { lineChart } from "../../src/report/line-chart.ts";
import { compareSpans, windowAround } from "../../src/report/marked-text.ts";
import { page } from "../../src/report/page.ts";
import { shadeClass, table } from "../../src/report/table.ts";
import { terminalCurves, terminalPlot } from "../../src/report/terminal-plot.ts";
import { CLASSES, history } from "./histories.ts";

const NUMBERS = /(?:NaN|Infinity|undefined)/;
const anyPoints = fc.array(fc.tuple(fc.oneof(fc.integer({ min: 1, max: 1e6 }), fc.constant(NaN)), fc.oneof(fc.double({ min: -1e30, max: 1e30 }), fc.constant(0), fc.double())), { maxLength: 400 });

describe("axes", () => {
  it("hold every value between round ends", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), { minLength: 1 }), (values) => {
        const { min, max, ticks } = roundAxis(values, 4);
        const room = (max - min) * 1e-6;
        for (const value of values) expect(value >= min - room && value <= max + room).toBe(true);
        expect(ticks.length).toBeGreaterThanOrEqual(1);
        expect(ticks.length).toBeLessThanOrEqual(8);
      }),
    );
  });

  it("begin at 0 where the values come near it, and keep to their limits", () => {
    expect(roundAxis([0.2, 2.4], 4)).toEqual({ min: 0, max: 3, ticks: [0, 1, 2, 3] });
    expect(roundAxis([100, 101], 2)).toEqual({ min: 100, max: 101, ticks: [100, 100.5, 101] });
    expect(roundAxis([1], 4, [0, 1]).max).toBe(1);
    expect(countAxis(540, 4)).toEqual({ min: 0, max: 540, ticks: [0, 200, 400, 540] });
    expect(countAxis(0, 4)).toEqual({ min: 0, max: 1, ticks: [0, 1] });
  });
});

describe("buckets", () => {
  it("hold every finite point once, in order, no more of them than asked for", () => {
    fc.assert(
      fc.property(anyPoints, fc.integer({ min: 1, max: 200 }), (points, most) => {
        const found = buckets(points, most);
        const finite = points.filter(([x, y]) => Math.abs(x) <= 1e100 && Math.abs(y) <= 1e100);
        expect(found.length).toBeLessThanOrEqual(most);
        expect(Math.min(...found.map(({ least }) => least))).toBe(Math.min(...finite.map(([, y]) => y)));
        expect(Math.max(...found.map((bucket) => bucket.most))).toBe(Math.max(...finite.map(([, y]) => y)));
      }),
    );
  });

  it("are the points themselves where there are few", () => {
    expect(buckets([[1, 5], [2, 7], [4, 6]], 3)).toEqual([[1, 5], [2, 7], [4, 6]].map(([x, y]) => ({ x, mean: y, least: y, most: y })));
    expect(buckets([[1, 5], [2, 7], [4, 6]], 2)).toEqual([{ x: 1.5, mean: 6, least: 5, most: 7 }, { x: 4, mean: 6, least: 6, most: 6 }]);
  });
});

describe("a line chart", () => {
  it("draws any numbers inside its frame", () => {
    fc.assert(
      fc.property(anyPoints, anyPoints, (first, second) => {
        const svg = lineChart({ title: "t", x: "step", series: [{ name: "a", points: first }, { name: "b", points: second, dots: true }] }).toString();
        expect(svg.replace(/<desc>.*<\/desc>/, "")).not.toMatch(NUMBERS);
        for (const [, x, y] of svg.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)) {
          if (Number(x) === 1) continue; // the legend's
          expect(Number(x) >= 45.9 && Number(x) <= 330.1 && Number(y) >= 9.9 && Number(y) <= 166.1, `${x} ${y}`).toBe(true);
        }
      }),
    );
  });

  it("has a legend for several series, a line for each", () => {
    const one: Point[] = [[1, 2], [2, 3]];
    const svg = lineChart({ title: "Losses", x: "step", series: ["ner", "classification", "distillation"].map((name) => ({ name, points: one })) }).toString();
    expect(svg.match(/<path class="line"/g)).toHaveLength(3);
    expect(svg).toContain(`</svg>distillation</li>`);
  });
});

describe("a heat map", () => {
  const layers = ["layer 0", "layer 1"];
  const svg = heatMap({
    title: "Cosine of the two gradients",
    summary: "From -0.4 to 0.8.",
    axes: { rows: "", columns: "step" },
    rows: layers,
    columns: ["100", "200", "300"],
    values: [[0.8, 0.1, -0.4], [null, NaN, 0]],
    full: 1,
  }).toString();

  it("has a cell for each value that is a number, tinted by sign and size", () => {
    expect([...svg.matchAll(/<rect class="([a-z]+-\d)"[^>]*><title>(.*?)<\/title>/g)].map(([, tint, text]) => `${tint}: ${text}`)).toEqual([
      "heat-5:  layer 0, step 100: 0.8", "heat-1:  layer 0, step 200: 0.1", "cold-3:  layer 0, step 300: -0.4", "heat-0:  layer 1, step 300: 0",
    ]); // prettier-ignore
  });

  it("is told in words", () => expect(svg).toContain("<title>Cosine of the two gradients</title><desc>From -0.4 to 0.8.</desc>"));

  it("is drawn of nothing, and of very much", () => {
    expect(heatMap({ title: "t", summary: "s", axes: { rows: "r", columns: "c" }, rows: [], columns: [], values: [] }).toString()).not.toMatch(NUMBERS);
    const many = Array.from({ length: 300 }, (_, index) => String(index));
    expect(heatMap({ title: "t", summary: "s", axes: { rows: "r", columns: "c" }, rows: many, columns: many, values: many.map(() => many.map(Number)) }).toString()).not.toMatch(NUMBERS);
  });

  it("has a tint for every share", () => {
    expect([-2, -1, -0.5, -0.01, 0, 0.01, 0.5, 1, 2, NaN].map(shadeClass)).toEqual(["cold-6", "cold-6", "cold-3", "cold-1", "heat-0", "heat-1", "heat-3", "heat-6", "heat-6", "heat-0"]);
  });
});

describe("a table", () => {
  it("has a header for each column and row, and a name", () => {
    const text = table({ caption: "c & d", columns: [{ name: "a" }, { name: "b", kind: "number" }], rows: [["x", 1], ["y", { content: 2, shade: -1 }]] }).toString();
    expect(text).toContain(`<div class="scroll" role="region" aria-label="c &amp; d" tabindex="0"><table><caption>c &amp; d</caption>`);
    expect(text).toContain(`<th scope="col" class="words"><span>a</span></th><th scope="col" class="number"><span>b</span></th>`);
    expect(text).toContain(`<th scope="row" class="words">y</th><td class="number cold-6">2</td>`);
  });
});

describe("a page", () => {
  it("holds sections of any blocks", () => {
    const text = page({ title: "T", kind: "Pre-training report", lead: "L", figures: [{ name: "n", value: "v" }], sections: [{ title: "S", content: table({ caption: "c", columns: [{ name: "a" }], rows: [] }) }] });
    expect(text).toContain("<title>T – Pre-training report</title>");
    expect(text).toContain("<h2>S</h2>");
  });
});

describe("spans", () => {
  it("are right when text and label are the same", () => {
    const span = { start: 1, end: 3, label: "A" };
    expect(compareSpans([span, { ...span, start: 5, end: 6 }], [span, { ...span, start: 5, end: 7 }, { ...span, label: "B" }])).toEqual({
      expected: [{ ...span, verdict: "right" }, { start: 5, end: 6, label: "A", verdict: "missed" }],
      predicted: [{ ...span, verdict: "right" }, { start: 5, end: 7, label: "A", verdict: "wrong" }, { ...span, label: "B", verdict: "wrong" }],
    });
  });

  it("are never cut by the window around what differs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 900 }), (start, length, other) => {
        const text = "ab cdefgh ".repeat(100);
        const marks = [{ start, end: start + length, label: "A", verdict: "missed" as const }, { start: other, end: other + 50, label: "B", verdict: "right" as const }];
        const { from, to } = windowAround(text, marks);
        expect(from >= 0 && from <= start && to >= start + length && to <= text.length).toBe(true);
        expect(other + 50 <= from || other >= to || (other >= from && other + 50 <= to)).toBe(true);
      }),
    );
  });
});

describe("figures", () => {
  it("are short", () => {
    expect([0, 1.23456, 0.00001234, -12345.6, 1234567, NaN, 0.05].map(short)).toEqual(["0", "1.23", "1.2e-5", "-12,346", "1.2e6", "–", "0.05"]);
    expect([0.6134, 1, NaN].map(percent)).toEqual(["61.3 %", "100.0 %", "–"]);
    expect([0.04, 42.4, 200, 3599.7, 7500, NaN, -1].map(duration)).toEqual(["0.0 s", "42 s", "3 min 20 s", "1 h 0 min", "2 h 5 min", "–", "–"]);
  });
});

describe("curves on a terminal", () => {
  it("keep to its width and end with the last step", () => {
    const made = history({ kind: "classification", labels: CLASSES });
    for (const width of [40, 80, 100]) {
      const lines = terminalCurves(made, width);
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width);
      expect(lines.filter((line) => /^(?:train loss|dev accuracy), by step$/.test(line))).toHaveLength(2);
      expect(lines.filter((line) => line.trimEnd().endsWith("540"))).toHaveLength(2);
    }
  });

  it("are drawn of any numbers", () => {
    fc.assert(fc.property(anyPoints, (points) => { expect(terminalPlot({ title: "t", x: "step", points, width: 60 }).join("\n")).not.toMatch(NUMBERS); }), { numRuns: 50 }); // prettier-ignore
    expect(terminalPlot({ title: "t", x: "step", points: [[1, 2]], width: 60 })).toEqual([]);
    expect(terminalPlot({ title: "t", x: "step", points: [[1, 2], [2, 2]], width: 60 }).length).toBeGreaterThan(5);
  });
});

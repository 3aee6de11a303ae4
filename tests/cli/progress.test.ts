import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ByteProgress } from "../../src/cli/annotate/byte-progress.ts";
import { Rate } from "../../src/cli/annotate/rate.ts";
import { progressLine } from "../../src/cli/streams.ts";
import { progressText } from "../../src/cli/train/print-training.ts";
import type { TrainingProgress } from "../../src/finetune/types.ts";

/** Milliseconds. */
let now: number;

beforeEach(() => {
  now = 5000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});

afterEach(() => vi.restoreAllMocks());

describe("the progress line", () => {
  /** @returns what is drawn on a standard error like that */
  function drawnOn(stream: { readonly isTTY?: boolean; readonly columns?: number }): string[] {
    const drawn: string[] = [];
    vi.spyOn(process, "stderr", "get").mockReturnValue({ ...stream, write: (text: string) => drawn.push(text) } as never);
    return drawn;
  }

  it.each([{}, { isTTY: false, columns: 80 }])("is not drawn where standard error is no terminal: %o", (stream) => {
    const drawn = drawnOn(stream);
    const progress = progressLine();
    for (const text of ["one", "two", null]) {
      now += 1000;
      progress(text);
    }
    expect(drawn).toEqual([]);
  });

  it("is drawn over itself, every 150 ms at most, and taken away once", () => {
    const drawn = drawnOn({ isTTY: true, columns: 80 });
    const progress = progressLine();
    for (const [after, text] of [[149, "too early"], [1, "one"], [149, "too early"], [1, "two"], [0, null], [0, null], [149, "too early"], [1, "three"]] as const) {
      now += after;
      progress(text);
    }
    expect(drawn).toEqual(["\r\x1b[Kone", "\r\x1b[Ktwo", "\r\x1b[K", "\r\x1b[Kthree"]);
  });

  it("has nothing in it that a terminal would obey", () => {
    const drawn = drawnOn({ isTTY: true, columns: 80 });
    const progress = progressLine();
    now += 150;
    progress("reading rows\x1b[2J.jsonl\r\n");
    expect(drawn).toEqual(["\r\x1b[Kreading rows\ufffd[2J.jsonl  "]);
  });

  it("of a step that is done before it was drawn leaves no trace", () => {
    const drawn = drawnOn({ isTTY: true, columns: 80 });
    const progress = progressLine();
    progress("short");
    progress(null);
    expect(drawn).toEqual([]);
  });

  it.each<[number | undefined, number]>([[10, 9], [100, 99], [undefined, 79], [0, 79]])("on a terminal of %s columns is cut to %i, so that none wraps", (columns, most) => {
    const drawn = drawnOn({ isTTY: true, ...(columns === undefined ? {} : { columns }) });
    const progress = progressLine();
    now += 150;
    progress("0123456789".repeat(20));
    expect(drawn).toEqual([`\r\x1b[K${"0123456789".repeat(20).slice(0, most)}`]);
  });
});

describe("the progress of annotate", () => {
  it("tells rows, their speed, the share that is read, and the time left at the pace since the first rows", () => {
    let fraction = 0.125;
    const rate = new Rate(() => fraction);
    now += 2000;
    rate.add(512);
    // What was passed over before is no pace.
    expect(rate.progress(9512)).toBe("9,512 rows, 256 rows/s, 12 %");
    now += 2000;
    fraction = 0.375;
    rate.add(1536);
    expect(rate.progress(11_048)).toBe("11,048 rows, 512 rows/s, 37 %, 0:05 left");
    now += 6000;
    fraction = 1;
    expect(rate.progress(11_048)).toBe("11,048 rows, 205 rows/s, 100 %, 0:00 left");
    expect(rate.perSecond()).toBe("205 rows/s");
  });

  it("tells no share and no time of an input without a known end, and a speed before any time has gone", () => {
    const rate = new Rate(() => null);
    rate.add(7);
    expect(rate.progress(7)).toBe("7 rows, 7,000 rows/s");
    now += 3000;
    rate.add(2);
    expect(rate.progress(9)).toBe("9 rows, 3 rows/s");
  });

  it("takes the share from a file's bytes; standard input, an empty file and a folder have none", () => {
    const folder = mkdtempSync(join(tmpdir(), "rootstock-progress-"));
    const [rows, empty] = [join(folder, "rows.jsonl"), join(folder, "empty.jsonl")];
    writeFileSync(rows, "12345678");
    writeFileSync(empty, "");
    const progress = new ByteProgress(rows);
    const seen = [0, 2, 4, 4].map((bytes) => {
      progress.add(bytes);
      return progress.fraction();
    });
    // A file may have grown since it was measured.
    expect(seen).toEqual([0, 0.25, 0.75, 1]);
    expect(["-", empty, folder, join(folder, "absent")].map((path) => new ByteProgress(path).fraction())).toEqual([null, null, null, null]);
    rmSync(folder, { recursive: true });
  });
});

describe("the progress of train", () => {
  const progress: TrainingProgress = { phase: "train", epoch: 2, epochs: 5, step: 1200, steps: 3000, loss: 0.3125, metric: 0.6123, best: 0.6301, tokensPerSecond: 3903.6, secondsLeft: 3723 };

  it.each<[string, Partial<TrainingProgress>, string]>([
    ["in the middle", {}, "epoch 2/5, step 1,200/3,000, loss 0.313, dev 61.23 % (best 63.01 %), 3,904 tokens/s, 1:02:03 left"],
    ["while dev is measured", { phase: "dev" }, "epoch 2/5, step 1,200/3,000, measuring dev, loss 0.313, dev 61.23 % (best 63.01 %), 3,904 tokens/s, 1:02:03 left"],
    ["before dev was measured", { metric: null, best: null, secondsLeft: 5.6 }, "epoch 2/5, step 1,200/3,000, loss 0.313, 3,904 tokens/s, 0:06 left"],
    ["before the first update", { phase: "trunk", epoch: 1, step: 0, loss: null, metric: null, best: null, tokensPerSecond: 0, secondsLeft: 0 }, "epoch 1/5, step 0/3,000"],
  ])("%s", (_, change, text) => expect(progressText({ ...progress, ...change })).toBe(text));
});

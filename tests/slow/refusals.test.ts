import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSafetensorsHeader } from "../../src/format/safetensors.ts";
import { loadEncoder, RootstockError, type Encoder } from "../../src/index.ts";
import { makeAttacks, type Place } from "../attacks/cases.ts";
import { record } from "../reliability/record.ts";
import { loadOdd } from "../runtime/bert-odd.ts";

/** CPU time: other processes add nothing to it. */
const MAX_MS = 50;
/**
 * What a refusal may allocate in all: so many times the bytes of the file, and what reading any folder takes (its other files, streams,
 * promises, messages). Most of it is garbage at once, which cannot be told from what is held while it is made: this bounds both. JSON is
 * held as bytes, as text, and as the strings and maps that were made of it: four times its bytes, tensors twice.
 */
const MAX_FACTOR = 2;
const MAX_JSON_FACTOR = 4;
const FIXED_BYTES = 8 << 20;
/** Header against the whole of loading. */
const MAX_HEADER_SHARE = 0.05;
const RUNS = 5;

const { cases, places } = await makeAttacks();
const collect = globalThis.gc!;

let encoder: Encoder;
beforeAll(async () => (encoder = await loadOdd({}, [])));
afterAll(() => encoder.dispose());

async function attempt(place: Place, bytes: Uint8Array): Promise<unknown> {
  const folder = place.with(bytes);
  const loading = place.kind === "adapter" ? encoder.addAdapter("stranger", folder) : loadEncoder(folder);
  return loading.then(
    () => null,
    (reason: unknown) => reason,
  );
}

const used = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external; // external has the array buffers and the linear memories
};

describe("what a refusal costs", () => {
  it("is less than 50 ms and twice the file, four times where it is JSON", async () => {
    const slowest = { ms: 0, what: "" };
    const largest = { spare: -Infinity, what: "" };
    const tooMuch: string[] = [];
    for (const attack of cases) {
      for (const place of places.get(attack.file)!) {
        let ms = Infinity;
        let extra = 0;
        for (let run = 0; run < RUNS; run++) {
          collect();
          const before = used();
          const start = process.cpuUsage();
          expect(await attempt(place, attack.bytes)).toBeInstanceOf(RootstockError);
          const { user, system } = process.cpuUsage(start);
          ms = Math.min(ms, (user + system) / 1_000);
          extra = Math.max(extra, used() - before);
        }
        if (ms > slowest.ms) Object.assign(slowest, { ms, what: attack.what });
        const spare = extra - (/weights|safetensors/.test(attack.file) ? MAX_FACTOR : MAX_JSON_FACTOR) * attack.bytes.length;
        if (spare > largest.spare) Object.assign(largest, { spare, what: attack.what });
        if (ms > MAX_MS) tooMuch.push(`${attack.what}: ${ms.toFixed(1)} ms`);
        if (spare > FIXED_BYTES) tooMuch.push(`${attack.what}: ${extra} bytes for a file of ${attack.bytes.length}`);
      }
    }
    record("F1", {
      "attack files": cases.length, "slowest CPU ms": Number(slowest.ms.toFixed(1)), "slowest is": slowest.what,
      "most bytes beyond that": largest.spare, "which is": largest.what,
    });
    expect(tooMuch).toEqual([]);
  });

  it("checking the header is a small part of loading", async () => {
    const bytes = readFileSync("models/mtpf-minilm-l6/model.safetensors");
    let [header, load] = [Infinity, Infinity];
    for (let run = 0; run < 4 * RUNS; run++) {
      let start = performance.now();
      parseSafetensorsHeader(bytes, bytes.length);
      header = Math.min(header, performance.now() - start);
      start = performance.now();
      const loaded = await loadEncoder("models/mtpf-minilm-l6");
      load = Math.min(load, performance.now() - start);
      loaded.dispose();
    }
    record("F9", { "header ms": Number(header.toFixed(3)), "load ms": Number(load.toFixed(1)), share: Number((header / load).toFixed(4)) });
    expect(header / load).toBeLessThan(MAX_HEADER_SHARE);
  });
});

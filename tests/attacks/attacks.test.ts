import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/errors.ts";
import { loadEncoder, RootstockError, type Encoder } from "../../src/index.ts";
import { record } from "../reliability/record.ts";
import { loadOdd } from "../runtime/bert-odd.ts";
import { makeAttacks, type Place } from "./cases.ts";

/** Codes that the files of folders can have; `source-unreadable` is of the way to them. */
const FILE_CODES: readonly ErrorCode[] = [
  "source-truncated", "digest-mismatch", "not-a-model", "json-invalid", "header-invalid", "limit-exceeded", "tensor-missing", "tensor-unexpected", "tensor-shape", "tensor-dtype",
  "tensor-value", "config-invalid", "family-unsupported", "format-version", "adapter-unsupported", "adapter-mismatch", "labels-mismatch", "tokenizer-invalid",
];

const { cases, places } = await makeAttacks();
const IDS = [2, 7, 11, 3];

let encoder: Encoder;
let before: Float32Array[];
let refused = 0;
beforeAll(async () => {
  encoder = await loadOdd({}, []);
  before = await encoder.hiddenStates(IDS, null);
});
afterAll(() => encoder.dispose());

async function attempt(place: Place, bytes: Uint8Array): Promise<void> {
  if (place.kind === "adapter") return await encoder.addAdapter("stranger", place.with(bytes));
  (await loadEncoder(place.with(bytes))).dispose();
}

describe("crafted files", () => {
  it("stand in the place of sound ones", async () => {
    for (const place of [...places.values()].flat()) {
      await attempt(place, place.files.get(place.name)!);
      if (place.kind === "adapter") await encoder.removeAdapter("stranger");
    }
  });

  it.each(cases)("refuses $what ($file)", async ({ file, bytes, code, says }) => {
    for (const place of places.get(file)!) {
      const error = await attempt(place, bytes).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(RootstockError);
      const { code: found, message } = error as RootstockError;
      expect([found, message]).toEqual([code, expect.stringMatching(/^[^\p{Cc}]{10,1000}$/u)]);
      for (const words of says) expect(message).toContain(words);
      expect(encoder.info.tasks).toEqual([]);
    }
    refused++;
  });

  it("have every code that a file can have, and changed no bit of an encoder in use", async () => {
    expect(FILE_CODES.filter((code) => !cases.some((attack) => attack.code === code))).toEqual([]);
    expect(await encoder.hiddenStates(IDS, null)).toEqual(before);
    expect(refused).toBe(cases.length);
    const count = (of: RegExp): number => cases.filter(({ what }) => of.test(what)).length;
    record("F5", { "files above a cap": cases.filter(({ code }) => code === "limit-exceeded").length, loaded: 0 });
    record("F7", { "JSON traps": count(/twice|1e400|2\^53|−0|minus zero|fraction|below 0|negative|prototype|every object|half a character|surrogate|nested|UTF/), loaded: 0 });
    record("F8", { "poisoned values": cases.filter(({ code }) => code === "tensor-value").length, mismatches: cases.filter(({ code }) => /mismatch|shape/.test(code)).length, loaded: 0 });
    record("F1", { "attack files": cases.length, codes: new Set(cases.map(({ code }) => code)).size, "refused with their code": refused });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { record } from "../reliability/record.ts";
import { cases, SEED } from "../reliability/scale.ts";
import { judgeMutants, replay } from "./campaign.ts";
import { makeKinds, type Kinds } from "./kinds.ts";

let kinds: Kinds;
beforeAll(async () => (kinds = await makeKinds()));
afterAll(() => kinds.dispose());

describe("mutated files end in accepted, and then run with finite results, or in a listed code", () => {
  it("every failure of before", async () => {
    expect(await replay(kinds)).toBeGreaterThanOrEqual(8);
  });

  it("new mutants", async () => {
    const { mutants, verdicts, kinds: byKind, slowestMs } = await judgeMutants(kinds, cases(100_000, 5_000_000), SEED);
    record("F2", { mutants, "foreign exceptions, traps, hangs": 0, accepted: verdicts.get("accepted") ?? 0, codes: verdicts.size - 1, "slowest ms": Math.round(slowestMs) });
    // A kind whose mutants are all refused, or all taken, tests little.
    for (const [kind, own] of byKind) expect([kind, own.has("accepted"), own.size > 1]).toEqual([kind, true, true]);
  });
});

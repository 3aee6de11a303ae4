import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { RootstockError, type Encoder } from "../../src/index.ts";
import { record } from "../reliability/record.ts";
import { cases } from "../reliability/scale.ts";
import { words } from "../runtime/bert-odd.ts";
import { ADAPTERS, answers, Golden, loadGolden, NAMES } from "./golden.ts";

const TEXT = words(17, 3);
const IDS = [2, 5, 6, 7, 9, 11, 3];
const REASON = new Error("enough");
const [FIRST] = ADAPTERS as [(typeof ADAPTERS)[number]];

/** Calls of some hundred turns are stopped in some of them in CI. */
const MANY = cases(13, 1);

let resident: Encoder;
let golden: Golden;
/** What each kind of call gives when nothing comes in between. */
let expected: Record<string, unknown>;

/** A clock of its own, ahead of every other: the encoder is shared, and for it no clock may go back. */
let clock = 1e9;

beforeAll(async () => {
  resident = await loadGolden();
  golden = await Golden.of(resident);
  expected = Object.fromEntries(await Promise.all(Object.entries(CALLS).map(async ([name, call]) => [name, await call(resident)])));
});

afterAll(() => resident.dispose());
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

type MaybeSignal = { signal?: AbortSignal };
const CALLS: Record<string, (encoder: Encoder, options?: MaybeSignal) => Promise<unknown>> = {
  run: (encoder, options) => encoder.run(TEXT, NAMES, { topK: null, ignoreLabels: [], ...options }),
  // The trunk is kept for a later pass, between the two there are turns too.
  windows: (encoder, options) => encoder.run(words(150, 5), NAMES, { stride: 4, topK: null, ...options }),
  embed: (encoder, options) => encoder.embed([TEXT, words(3, 1)], { task: FIRST.name, ...options }),
  trunk: async (encoder, options) => encoder.run(await encoder.trunk(TEXT, { tasks: ["layers-to-transform"], ...options }), ["layers-to-transform"]),
  logits: (encoder, options) => encoder.logits(IDS, FIRST.name, options),
  hiddenStates: (encoder, options) => encoder.hiddenStates(IDS, FIRST.name, options),
};

/** Every step of every pass is followed by a turn of the event loop; `at` is called in each, with its number. */
function everyTurn(at: (turn: number) => void): void {
  let turns = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (clock += 10));
  vi.stubGlobal("scheduler", {
    async postTask() {
      at(turns++);
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
}

async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => error);
}

/** Runs a call once for each of its turns (each `step`-th), with `act` in that turn, until it has had no such turn. */
async function atEachTurn(call: () => Promise<unknown>, act: () => void, check: (result: unknown, turn: number) => Promise<void>, step = 1): Promise<number> {
  for (let wanted = 0; ; wanted += step) {
    let came = false;
    everyTurn((turn) => {
      if (turn !== wanted) return;
      came = true;
      act();
    });
    const result = await outcome(call());
    // A pass whose calls have all gone stops at its next turn.
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    if (!came) return wanted;
    await check(result, wanted);
  }
}

describe.each(Object.keys(CALLS))("%s", (name) => {
  const call = CALLS[name]!;

  it("aborted in each of its turns: rejects with the reason, and the encoder is as it was", async () => {
    let controller = new AbortController();
    let aborted = 0;
    const turns = await atEachTurn(
      () => call(resident, { signal: (controller = new AbortController()).signal }),
      () => controller.abort(REASON),
      async (result, turn) => {
        // In its last turns a call may be done already, and only has to say so.
        if (result === REASON) aborted++;
        else expect(result).toEqual(expected[name]);
        expect(await call(resident)).toEqual(expected[name]);
        if (turn % 16 === 0) await golden.expectSame();
      },
      name === "windows" ? MANY : 1,
    );
    expect(turns).toBeGreaterThan(3);
    expect(aborted).toBeGreaterThan(2);
    await golden.expectSame();
    record(`4.3-abort-${name}`, { turns, differences: 0 });
  });

  it("aborted before, and after it ended: has no effect", async () => {
    expect(await outcome(call(resident, { signal: AbortSignal.abort(REASON) }))).toBe(REASON);
    const controller = new AbortController();
    const result = await call(resident, { signal: controller.signal });
    controller.abort(REASON);
    await new Promise((resolve) => setImmediate(resolve));
    expect(result).toEqual(expected[name]);
    await golden.expectSame();
  });

  it("aborted while others wait before and behind it: they are answered", async () => {
    for (const wait of [0, 1, 3, 9]) {
      everyTurn(() => undefined);
      const controller = new AbortController();
      const others = [call(resident), resident.run(TEXT, [FIRST.name])];
      const gone = outcome(call(resident, { signal: controller.signal }));
      others.push(call(resident));
      for (let i = 0; i < wait; i++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(REASON);
      const result = await gone;
      if (wait === 0) expect(result).toBe(REASON);
      else if (result !== REASON) expect(result).toEqual(expected[name]);
      const [before, , behind] = await Promise.all(others);
      expect([before, behind]).toEqual([expected[name], expected[name]]);
      vi.restoreAllMocks();
      vi.unstubAllGlobals();
    }
    await golden.expectSame();
  });
});

describe("in each turn of a run", () => {
  it("its adapter is removed, replaced, or another is added: it finishes on the one it began with", async () => {
    const other = ADAPTERS.find(({ name }) => name === "ia3-feedforward")!;
    const changes: Record<string, (encoder: Encoder) => Promise<void>> = {
      removed: (encoder) => encoder.removeAdapter(FIRST.name),
      replaced: (encoder) => encoder.addAdapter(FIRST.name, other.files, { labels: other.labels, replace: true }),
      added: (encoder) => encoder.addAdapter("late", FIRST.files, { labels: FIRST.labels }),
    };
    const whole = resident.info.memory.adapters;
    for (const change of Object.values(changes)) {
      let changed: Promise<void> = Promise.resolve();
      await atEachTurn(
        () => CALLS["run"]!(resident),
        () => (changed = change(resident)),
        async (result, turn) => {
          await changed;
          expect(result, `turn ${turn}`).toEqual(expected["run"]);
          // Back to where it was: the old one's memory was given back after its last run.
          for (const { name } of resident.info.tasks) if (name === "late" || name === FIRST.name) await resident.removeAdapter(name);
          await resident.addAdapter(FIRST.name, FIRST.files, { labels: FIRST.labels });
          expect(resident.info.memory.adapters).toBe(whole);
        },
      );
    }
    expect(await answers(resident)).toEqual(await loadGolden().then(async (fresh) => answers(fresh).finally(() => fresh.dispose())));
  });

  it("the encoder is disposed, twice: calls reject with disposed or had ended, and no adapter is left", async () => {
    let encoder = await loadGolden();
    let pool = encoder.loaded.pool;
    const turns = await atEachTurn(
      () => Promise.all([CALLS["run"]!(encoder), CALLS["windows"]!(encoder), CALLS["hiddenStates"]!(encoder)].map(outcome)),
      () => {
        encoder.dispose();
        encoder.dispose();
      },
      async (result) => {
        const [run, windows, states] = result as unknown[];
        for (const [one, whole] of [[run, expected["run"]], [windows, expected["windows"]], [states, expected["hiddenStates"]]]) {
          if (one instanceof Error) expect((one as RootstockError).code).toBe("disposed");
          else expect(one).toEqual(whole);
        }
        expect(await outcome(CALLS["run"]!(encoder))).toMatchObject({ code: "disposed" });
        expect(pool.used).toBe(0);
        encoder = await loadGolden();
        pool = encoder.loaded.pool;
      },
      MANY,
    );
    encoder.dispose();
    expect(turns).toBeGreaterThan(20);
    await golden.expectSame();
  });
});

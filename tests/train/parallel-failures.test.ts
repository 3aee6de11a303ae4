import { getBuiltinModule } from "node:process";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RootstockError, runPeer, SUMS, withPeers } from "./parallel/built.ts";

const threads = getBuiltinModule("node:worker_threads")!;

/** Every worker that was started in a test, and those that have not ended. */
let workers: Worker[] = [];
let living = new Set<Worker>();

beforeEach(() => {
  workers = [];
  living = new Set();
  const Kind = threads.Worker;
  vi.spyOn(threads, "Worker").mockImplementation(function start(...given: ConstructorParameters<typeof Worker>) {
    const worker = new Kind(...given);
    workers.push(worker);
    living.add(worker);
    worker.on("exit", () => living.delete(worker));
    return worker;
  } as never);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** The one error of a run; all its threads have ended when it comes. */
async function failure(run: Promise<unknown>, started: number): Promise<Error & { code?: unknown }> {
  const error = await run.then(
    (value) => expect.fail(`it resolved to ${String(value)}`),
    (reason: unknown) => reason as Error,
  );
  expect(workers.length).toBe(started);
  expect(living.size).toBe(0);
  return error;
}

const COUNTS = [3, 1000, 0, 300_000, 7];
const LOST = ["exit", "timer throws", "waits for nothing", "is terminated"] as const;

/** Runs three peers of which one goes wrong at a moment. */
function faulty(rank: number, at: number, how: string): Promise<unknown> {
  return withPeers(3, SUMS, { sums: COUNTS, delay: 2, fault: { rank, at, how } }, {
    onMessage(message, from) {
      if (message === "terminate me") void workers[from]!.terminate();
    },
  });
}

/** Before the first sum, before one of two slices, after the last. */
const MOMENTS = [0, 3, 5].flatMap((at) => [0, 2].map((rank) => [rank, at] as const));

describe.each(MOMENTS)("peer %i before sum %i", (rank, at) => {
  it.each(LOST)("%s: worker-lost, and no thread is left", async (how) => {
    const error = await failure(faulty(rank, at, how), 3);
    expect(error).toBeInstanceOf(RootstockError);
    expect(error).toMatchObject({ code: "worker-lost", message: expect.stringMatching(new RegExp(`^peer ${rank} of 3 was lost: it .+ run it again\\.$`)) as unknown });
  });

  it("throws: its own error, and no thread is left", async () => {
    const error = await failure(faulty(rank, at, "throw"), 3);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe("thrown by a peer");
  });

  it.each(["sums too much", "ends early"])("%s: the peers have gone apart", async (how) => {
    // At the end of its work a peer ends as the others do.
    if (at === COUNTS.length && how === "ends early") {
      expect(await faulty(rank, at, how)).toEqual(rank === 0 ? "early" : [expect.any(String)]);
      return;
    }
    expect(await failure(faulty(rank, at, how), 3)).toMatchObject({ code: "argument-invalid", message: expect.stringContaining("the peers have gone apart: peer 0") as unknown });
  });
});

describe("an abort", () => {
  it.each([0, 1, 5, 20, 60, 120, 200])("after %i ms ends all, with its reason", async (time) => {
    const stop = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => stop.abort(reason), time);
    expect(await failure(withPeers(3, SUMS, { sums: COUNTS, rounds: 1e6, delay: 3 }, { signal: stop.signal }), 3)).toBe(reason);
  });

  it("before the start starts nothing", async () => {
    expect(await failure(withPeers(3, SUMS, { sums: COUNTS }, { signal: AbortSignal.abort() }), 0)).toMatchObject({ name: "AbortError" });
  });

  it("after the end changes nothing", async () => {
    const stop = new AbortController();
    expect(await withPeers(2, SUMS, { sums: COUNTS }, { signal: stop.signal })).toEqual([expect.any(String)]);
    stop.abort();
    expect(living.size).toBe(0);
  });
});

describe("an abort with time for a last word", () => {
  const run = async (how: string, graceMs: number): Promise<unknown[]> => {
    const [stop, reason, heard] = [new AbortController(), new Error("enough"), [] as unknown[]];
    const onMessage = (message: unknown): void => {
      if (typeof message === "string") heard.push(message);
      if (message === "stop") stop.abort(reason);
    };
    const peers = withPeers(3, SUMS, { sums: COUNTS, fault: { rank: 0, at: 3, how } }, { signal: stop.signal, graceMs, onMessage });
    expect(await failure(peers, 3)).toBe(reason);
    return heard;
  };

  it("rank 0 says it, and all end", async () => {
    expect(await run("has a last word", 60_000)).toEqual(["stop", "last word"]);
  });

  it.each([["has a last word", 0], ["never stops", 50]])("%s, but it is given %i ms", async (how, graceMs) => {
    expect(await run(how, graceMs)).toEqual(["stop"]);
  });
});

describe("what else can go wrong", () => {
  it("a listener that throws ends all", async () => {
    const onMessage = (): void => {
      throw new RangeError("the listener's");
    };
    expect(await failure(withPeers(3, SUMS, { sums: COUNTS, rounds: 1e6 }, { onMessage }), 3)).toMatchObject({ name: "RangeError", message: "the listener's" });
  });

  it("a result that cannot be cloned is an error of the peer's", async () => {
    expect(await failure(faulty(0, 5, "cannot be cloned"), 3)).toMatchObject({ message: expect.stringContaining("could not be cloned") as unknown });
  });

  it("data that cannot be cloned", async () => {
    expect(await failure(withPeers(2, SUMS, { sums: () => 1 }), 0)).toMatchObject({ name: "DataCloneError" });
  });

  it("a program that is not there", async () => {
    expect(await failure(withPeers(2, new URL("./absent.mjs", SUMS), {}), 2)).toMatchObject({ code: "worker-lost", message: expect.stringContaining("absent.mjs") as unknown });
  });

  it.each([0, 65, 1.5, Number.NaN])("%d peers", async (count) => {
    expect(await failure(withPeers(count, SUMS, {}), 0)).toMatchObject({ code: "argument-invalid", message: expect.stringContaining("from 1 to 64") as unknown });
  });

  it("a peer's program outside of a peer", () => {
    expect(() => runPeer(() => 1)).toThrow(expect.objectContaining({ code: "argument-invalid", message: expect.stringContaining("withPeers") as unknown }) as Error);
  });
});

it("no thread is left by runs that end well", async () => {
  for (let run = 0; run < 10; run++) expect(await withPeers(3, SUMS, { sums: COUNTS })).toEqual([expect.any(String)]);
  expect(workers.length).toBe(30);
  expect(living.size).toBe(0);
});

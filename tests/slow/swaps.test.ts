import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { Encoder } from "../../src/runtime/encoder.ts";
import { INT8_PARTS } from "../../src/runtime/load.ts";
import { loadParts } from "../../src/runtime/load-encoder.ts";
import { index, pick, seeded } from "../reliability/random.ts";
import { record } from "../reliability/record.ts";
import { cases, SCALE, SEED } from "../reliability/scale.ts";
import { ALL, loadSixteen, sixteen, TEXT } from "./sixteen.ts";

const hash = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

it("C2: whatever is swapped meanwhile, only the sixteen known results appear, each under its own task", async () => {
  const adapters = await sixteen();
  const [most] = adapters.map(({ files }) => files.get("adapter_model.safetensors")!.length).sort((a, b) => b - a);
  // Room for a few: others are parked, and come back elsewhere.
  using encoder = await loadSixteen(adapters, { adapterBudget: most! * 4 });
  const names = adapters.map(({ name }) => name);
  const known = new Map<string, string>();
  for (const name of names) known.set(name, hash((await encoder.run(TEXT, [name], ALL))[name]));
  expect(new Set(known.values()).size).toBe(16);
  const random = seeded(SEED);
  const pairs = cases(1, 100_000);
  const seen = new Map<string, number>();
  let replaced = 0;
  for (let done = 0; done < pairs; ) {
    // Calls of several tasks under way together, with changes among them.
    const batch = Array.from({ length: 1 + index(random, 8) }, () => Array.from({ length: 1 + index(random, 3) }, () => pick(random, names)));
    const calls = batch.map((tasks) => encoder.run(TEXT, tasks, ALL));
    if (random() < 0.05) {
      const { name, files, labels } = pick(random, adapters);
      calls.push(encoder.addAdapter(name, files, { labels, replace: true }).then(() => ({})));
      replaced++;
    }
    for (const result of await Promise.all(calls)) {
      for (const [name, value] of Object.entries(result)) {
        const got = hash(value);
        if (got !== known.get(name)) expect(got, `${name} after ${done} pairs, seed ${SEED}`).toBe(known.get(name));
        seen.set(got, (seen.get(got) ?? 0) + 1);
        done++;
      }
    }
  }
  expect([...seen.keys()].sort()).toEqual([...known.values()].sort());
  record("C2", { pairs, adapters: 16, results: seen.size, replaced });
});

it("C4: a swap allocates no byte, and takes less than 100 µs at the 99th percentile", async () => {
  const loaded = await loadParts("models/mtpf-minilm-l6", {}, INT8_PARTS);
  using encoder = new Encoder(loaded);
  const names = ["wikigold-lora", "banking77-rslora", "clinc150-lora-pattern", "vader-dora", "snips-slots-lora-all"];
  for (const name of names) await encoder.addAdapter(name, `tests/golden/adapters/${name}`);
  const { embed } = loaded.machine.kernels;
  let firstKernel = 0;
  loaded.machine.kernels = {
    ...loaded.machine.kernels,
    embed: (...places) => {
      firstKernel = performance.now();
      embed(...places);
    },
  };
  const ids = Int32Array.from([101, 2129, 2079, 1045, 12453, 2026, 4003, 1029, 102]);
  const before = encoder.info.memory;
  const times: number[] = [];
  const rounds = Math.round(3000 * SCALE);
  for (let round = -300; round < rounds; round++) {
    const called = performance.now();
    await encoder.forward(ids, names[(round + 300) % names.length]!);
    if (round >= 0) times.push((firstKernel - called) * 1000);
  }
  expect(encoder.info.memory).toEqual(before);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)]!;
  record("C4", { swaps: rounds, bytes: 0, p50: at(0.5), p99: at(0.99), worst: at(1), unit: "µs" });
  expect(at(0.99)).toBeLessThan(100);
});

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder } from "../../src/index.ts";
import { index, seeded } from "../reliability/random.ts";
import { record } from "../reliability/record.ts";
import { SEED } from "../reliability/scale.ts";
import { loadOdd, ODD_ADAPTERS } from "../runtime/bert-odd.ts";
import { encoded, microConverted, microEncoder, type Files } from "./micro.ts";
import { judgeAdapter } from "./oracles/adapter.ts";
import { judgeEncoder } from "./oracles/encoder.ts";
import type { Verdict } from "./oracles/verdict.ts";

const WEIGHTS = "model.safetensors";
const PAYLOAD_BITS = 10_000;

let resident: Encoder;
beforeAll(async () => (resident = await loadOdd({}, [])));
afterAll(() => resident.dispose());

describe("files cut short", () => {
  /** Every prefix of every file of a folder, in its place; white space at the end of a file is nothing to miss. @returns how many there were */
  async function prefixes(folder: Files, judge: (files: Files) => Promise<Verdict>): Promise<number> {
    expect(await judge(folder)).toBe("accepted");
    let count = 0;
    for (const [name, bytes] of folder) {
      const end = name.endsWith(".json") ? bytes.findLastIndex((byte) => byte !== 0x0a && byte !== 0x20) + 1 : bytes.length;
      for (let size = 0; size < end; size++, count++) {
        const verdict = await judge(new Map(folder).set(name, bytes.subarray(0, size)));
        if (verdict === "accepted") throw new Error(`${size} of ${bytes.length} bytes of ${name} were taken for the whole`);
      }
    }
    return count;
  }

  it("never load, wherever they are cut", async () => {
    const { files, labels } = ODD_ADAPTERS.find(({ name }) => name === "bert-odd-token")!;
    const adapter = new Map(["adapter_config.json", "adapter_model.safetensors"].map((name) => [name, files.get(name)!])).set("config.json", encoded({ id2label: { ...labels } }));
    const inEncoder = (folder: Files): Promise<number> => prefixes(folder, judgeEncoder);
    const figures = {
      "encoder prefixes": await inEncoder(microEncoder(1)),
      "converted prefixes": await inEncoder(await microConverted({ layers: 1 })),
      "adapter prefixes": await prefixes(adapter, (cut) => judgeAdapter(resident, cut)),
    };
    record("F3", { ...figures, loaded: 0 });
  });
});

describe("flipped bits of a converted folder, whose digests are known", () => {
  async function isCaught(folder: Files, name: string, bit: number): Promise<boolean> {
    const bytes = folder.get(name)!.slice();
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
    return (await judgeEncoder(new Map(folder).set(name, bytes))) !== "accepted";
  }

  /** The same folder with the digests of pieces of its weights, as large files have them. */
  function inPieces(folder: Files, pieceBytes: number): Files {
    const manifest = JSON.parse(new TextDecoder().decode(folder.get("rootstock.json"))) as { files: Record<string, object> };
    const weights = folder.get(WEIGHTS)!;
    const count = Math.ceil(weights.length / pieceBytes);
    const sha256 = Array.from({ length: count }, (_, i) => createHash("sha256").update(weights.subarray(i * pieceBytes, (i + 1) * pieceBytes)).digest("hex"));
    manifest.files[WEIGHTS] = { ...manifest.files[WEIGHTS], pieces: { bytes: pieceBytes, sha256 } };
    return new Map(folder).set("rootstock.json", encoded(manifest));
  }

  it("are caught: every bit of the header and of small files, and 10,000 of the payload", async () => {
    const whole = await microConverted({ layers: 1 });
    const pieces = inPieces(whole, 1_000);
    expect(await judgeEncoder(pieces)).toBe("accepted");
    const random = seeded(SEED);
    const weights = whole.get(WEIGHTS)!;
    const headerBits = 8 * (8 + new DataView(weights.buffer, weights.byteOffset).getUint32(0, true));
    const missed: string[] = [];
    let count = 0;
    const flip = async (folder: Files, name: string, bit: number): Promise<void> => {
      count++;
      if (!(await isCaught(folder, name, bit))) missed.push(`bit ${bit} of ${name}`);
    };
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
      for (let bit = 0; bit < 8 * whole.get(name)!.length; bit++) await flip(whole, name, bit);
    }
    for (let bit = 0; bit < headerBits; bit++) await flip(whole, WEIGHTS, bit);
    for (let i = 0; i < PAYLOAD_BITS; i++) await flip(i % 2 === 0 ? whole : pieces, WEIGHTS, headerBits + index(random, 8 * weights.length - headerBits));
    expect(missed).toEqual([]);
    record("F4", { "header bits": headerBits, "payload bits": PAYLOAD_BITS, "bits of small files": count - headerBits - PAYLOAD_BITS, missed: missed.length });
  });
});

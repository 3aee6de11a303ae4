import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { RootstockError } from "../../index.ts";
import { readIfThere } from "../disk.ts";

/** What a run's results depend on, each under a name for people. Two runs of equal identity write equal bytes. */
export type Identity = ReadonlyMap<string, string>;

/** One line a name that differs; empty when both are the same. */
export function differences(before: Identity, now: Identity): string[] {
  const names = [...new Set([...before.keys(), ...now.keys()])];
  return names
    .filter((name) => before.get(name) !== now.get(name))
    .map((name) => `${name} was ${shown(before.get(name))} and is ${shown(now.get(name))}`);
}

function shown(value: string | undefined): string {
  if (value === undefined) return "not given";
  return value.length > 80 ? `${value.slice(0, 80)}…` : value;
}

/**
 * SHA-256 over the named files of a folder, those that are there.
 * @param given a path, or its file: URL
 * @throws RootstockError `argument-invalid` for any other URL, whose files are not here to be compared
 */
export async function folderDigest(given: string, names: readonly string[]): Promise<string> {
  if (/^[a-z]{2,}:/i.test(given) && !/^file:/i.test(given)) throw new RootstockError("argument-invalid", `${given} is a URL, whose files cannot be compared when the run goes on. Give a folder.`);
  const folder = /^file:/i.test(given) ? fileURLToPath(given) : given;
  const hash = createHash("sha256");
  for (const name of names) {
    const bytes = await readIfThere(join(folder, name));
    if (bytes !== null) hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/** Files of an adapter folder that the library reads. */
export const ADAPTER_FILES = ["adapter_config.json", "adapter_model.safetensors", "config.json"];

/**
 * Files of an encoder folder beside the weights. The fingerprint is that of the source weights, which the converted form
 * keeps; its manifest tells one conversion from another.
 */
export const ENCODER_FILES = ["config.json", "rootstock.json", "tokenizer.json", "tokenizer_config.json"];

/** Path and size of the input. */
export function inputIdentity(path: string): [string, string][] {
  if (path === "-") return [["input", "-"]];
  const stat = statSync(path, { throwIfNoEntry: false });
  return [["input", resolve(path)], ["input size", String(stat?.size ?? 0)]];
}

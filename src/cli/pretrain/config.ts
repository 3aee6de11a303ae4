import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { field, parseJson, place, readBoolean, readChoice, readInteger, readList, readObject, readString, type Place } from "../../format/json.ts";
import { RootstockError } from "../../index.ts";
import { reading } from "../disk.ts";
import { readSettings, SETTING_FIELDS } from "../../pretrain/settings.ts";
import type { PretrainingSettings } from "../../pretrain/types.ts";

/** A run of `rootstock pretrain`. */
export interface PretrainConfig {
  readonly settings: PretrainingSettings;
  readonly encoder: string;
  readonly output: string;
  readonly data: { readonly ner: readonly string[]; readonly pairs: readonly string[] };
  readonly checkpointEvery: number;
  readonly dtype: "F32" | "F16";
  readonly writesHead: boolean;
}

/** Values of options, which go before those of the file. */
export interface ConfigOverrides {
  readonly output?: string | undefined;
  readonly seed?: number | undefined;
  readonly steps?: number | undefined;
}

const OWN_FIELDS: ReadonlySet<string> = new Set(["extends", "encoder", "output", "data", "checkpointEvery", "dtype", "writesHead"]);
/** Files that extend each other in a row. */
const MAX_EXTENDS = 8;
const MAX_FILES = 256;
const MAX_PATH = 4096;

/** A field's value and the file it stands in. */
interface Found {
  readonly value: unknown;
  readonly file: string;
}

/**
 * Reads a configuration. A file that `extends` another takes its fields and puts its own in their place; of an object's fields (`probe`,
 * `adapter`…) those that it names. Paths are relative to the file they stand in.
 * @throws RootstockError `source-missing`, `config-invalid`, `limit-exceeded`.
 */
export function readConfig(path: string, overrides: ConfigOverrides): PretrainConfig {
  const fields = readFields(resolve(path), []);
  const { output, ...numbers } = overrides;
  for (const [name, value] of Object.entries(numbers)) if (value !== undefined) fields.set(name, { value, file: path });
  const at = place(path, "config-invalid");
  for (const name of fields.keys()) {
    if (!SETTING_FIELDS.has(name) && !OWN_FIELDS.has(name)) throw new RootstockError(at.code, `${field(at, name).path}: there is no such field. See docs/pre-finetuning.md.`);
  }
  const readPath = (name: string): string => pathOf(fields.get(name), field(at, name));
  const settings = Object.fromEntries([...fields].filter(([name]) => SETTING_FIELDS.has(name)).map(([name, { value }]) => [name, value]));
  return {
    settings: readSettings(settings, at),
    encoder: readPath("encoder"),
    output: output === undefined ? readPath("output") : resolve(output),
    data: readData(fields.get("data"), field(at, "data")),
    checkpointEvery: readInteger(fields.get("checkpointEvery")?.value ?? 100, field(at, "checkpointEvery"), 1, 1e9),
    dtype: readChoice(fields.get("dtype")?.value ?? "F32", field(at, "dtype"), ["F32", "F16"]),
    writesHead: readBoolean(fields.get("writesHead")?.value ?? false, field(at, "writesHead")),
  };
}

function readFields(path: string, above: readonly string[]): Map<string, Found> {
  const at = place(path, "config-invalid");
  if (above.length >= MAX_EXTENDS || above.includes(path)) throw new RootstockError(at.code, `${path}: files extend each other in a circle, or more than ${MAX_EXTENDS} in a row.`);
  if (!existsSync(path)) throw new RootstockError("source-missing", `${path} is not there. Check the path.`);
  const bytes = reading(path, () => readFileSync(path));
  const own = readObject(parseJson(bytes, { where: path, code: "config-invalid" }), at);
  const base = own.get("extends");
  own.delete("extends");
  const fields = base === undefined ? new Map<string, Found>() : readFields(resolve(dirname(path), readString(base, field(at, "extends"), MAX_PATH)), [...above, path]);
  for (const [name, value] of own) {
    const before = fields.get(name);
    const merges = before !== undefined && SETTING_FIELDS.has(name) && isObject(before.value) && isObject(value);
    fields.set(name, { value: merges ? { ...before.value, ...value } : value, file: path });
  }
  return fields;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pathOf(found: Found | undefined, at: Place): string {
  const path = readString(found?.value, at, MAX_PATH);
  if (path === "") throw new RootstockError(at.code, `${at.path}: the path is empty.`);
  return resolve(dirname(found!.file), path);
}

function readData(found: Found | undefined, at: Place): PretrainConfig["data"] {
  const data = readObject(found?.value, at);
  const list = (name: string): string[] =>
    data.has(name) ? readList(data.get(name), field(at, name), MAX_FILES, (value, item) => pathOf({ value, file: found!.file }, item)) : [];
  const [ner, pairs] = [list("ner"), list("pairs")];
  for (const name of data.keys()) if (name !== "ner" && name !== "pairs") throw new RootstockError(at.code, `${field(at, name).path}: there is no such field; data has ner and pairs.`);
  return { ner, pairs };
}

import { index, pick, type Random } from "../../reliability/random.ts";
import { mutateBytes } from "./bytes.ts";

/** JSON as it is written: a key may stand twice, a number may be one that no program reads back. */
export type Json = string | readonly Json[] | { readonly fields: readonly (readonly [key: string, value: Json])[] };

/** A value as `JSON.parse` gives it, in the written form: strings are raw text. */
export function written(value: unknown): Json {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return { fields: Object.entries(value).map(([key, item]) => [JSON.stringify(key), written(item)] as const) };
}

export function text(json: Json): string {
  if (typeof json === "string") return json;
  if (isList(json)) return `[${json.map(text).join(",")}]`;
  return `{${json.fields.map(([key, value]) => `${key}:${text(value)}`).join(",")}}`;
}

function isList(json: Exclude<Json, string>): json is readonly Json[] {
  return Array.isArray(json);
}

const VALUES: readonly string[] = [
  "null", "true", "false", "0", "-0", "1", "-1", "2", "3", "0.5", "1.5", "-1e400", "1e400", "1e308", "5e-324", "1e-400", "9007199254740991",
  "9007199254740993", "4294967295", "4294967296", "2147483647", "2147483648", "16777215", "16777216", "16777217", "65535", "65536", "65537", "127",
  "128", "129", "4096", "4097", '""', '" "', '"0"', '"1"', '"a"', '"\\u0000"', '"\\ud800"', '"a\\udc00"', '"\\u001b[31m"', '"__proto__"', '"constructor"',
  '"../../x"', '"C:\\\\x"', '"NaN"', `"${"x".repeat(300)}"`, `"${"é".repeat(2_000)}"`, "[]", "{}", "[[]]", "[null]", "[0]", "[1,2]", '["a"]', '["query"]',
  '{"__proto__":{"x":1}}', '{"constructor":1}', '{"0":"a"}', '{"a":{"b":[]}}', `${"[".repeat(40)}${"]".repeat(40)}`, `[${"0,".repeat(500)}0]`,
  '".*"', '"(a+)+$"', '".*\\\\.layer\\\\.[01]\\\\..*query"', '"all-linear"', '"F16"', '"BF16"', '"I64"', '"LORA"', '"IA3"', '"gelu_new"', '"roberta"',
];

const KEYS: readonly string[] = ['"__proto__"', '"constructor"', '"prototype"', '"toString"', '""', '"\\ud800"', '"a\\nb"', `"${"k".repeat(300)}"`, '"0"', '"01"', '"-1"', '"x"'];

/** All values of the file, for putting one in the place of another. */
function* valuesOf(json: Json): Generator<Json> {
  yield json;
  if (typeof json === "string") return;
  for (const item of isList(json) ? json : json.fields.map(([, value]) => value)) yield* valuesOf(item);
}

/** Every value of a file once, so that it need not be walked for each mutant. */
export interface JsonBase {
  readonly root: Json;
  readonly values: readonly Json[];
  readonly bytes: Uint8Array;
}

export function jsonBase(bytes: Uint8Array): JsonBase {
  const root = written(JSON.parse(new TextDecoder().decode(bytes)));
  return { root, values: [...valuesOf(root)], bytes };
}

function newValue(base: JsonBase, random: Random): Json {
  return random() < 0.75 ? pick(random, VALUES) : pick(random, base.values);
}

/** A number that is off by little, which is what checks are wrong about. */
function nearby(number: string, random: Random): string {
  const value = Number(number);
  return JSON.stringify(pick(random, [value + 1, value - 1, -value, 2 * value, value / 2, value + 0.5, value * 2 ** 32, value + 2 ** 32]));
}

/** Changes one place somewhere below. */
function change(json: Json, base: JsonBase, random: Random): Json {
  if (typeof json === "string") return /^-?[0-9]/.test(json) && random() < 0.4 ? nearby(json, random) : newValue(base, random);
  const size = isList(json) ? json.length : json.fields.length;
  if (size === 0 || random() < 0.06) return newValue(base, random);
  const at = index(random, size);
  return isList(json) ? changeList(json, at, base, random) : { fields: changeEntries(json.fields, at, base, random) };
}

function changeList(items: readonly Json[], at: number, base: JsonBase, random: Random): Json[] {
  const choice = random();
  if (choice < 0.08) return items.toSpliced(at, 1);
  if (choice < 0.16) return items.toSpliced(at, 0, newValue(base, random));
  if (choice < 0.22) return items.toSpliced(at, 0, items[at]!);
  return items.with(at, change(items[at]!, base, random));
}

type Entries = readonly (readonly [string, Json])[];

function changeEntries(entries: Entries, at: number, base: JsonBase, random: Random): Entries {
  const [key, value] = entries[at]!;
  const choice = random();
  if (choice < 0.07) return entries.toSpliced(at, 1);
  if (choice < 0.12) return entries.toSpliced(at, 0, [pick(random, KEYS), newValue(base, random)]);
  if (choice < 0.16) return entries.toSpliced(at, 0, [key, newValue(base, random)]); // the key twice
  if (choice < 0.18) return entries.toSpliced(at, 0, [key.replace(/^"([a-z])/, (_, first: string) => `"\\u00${first.charCodeAt(0).toString(16)}`), value]);
  if (choice < 0.22) return entries.with(at, [pick(random, KEYS), value]);
  if (choice < 0.26) return entries.with(at, [pick(random, entries)[0], value]);
  return entries.with(at, [key, change(value, base, random)]);
}

/** The text of a JSON file with one to three of its places changed; one mutant in five is changed as bytes. */
export function mutateJson(base: JsonBase, random: Random): Uint8Array {
  if (random() < 0.2) return mutateBytes(base.bytes, random);
  let root = base.root;
  for (let edits = 1 + index(random, 3); edits > 0; edits--) root = change(root, base, random);
  const mutant = new TextEncoder().encode(text(root));
  return random() < 0.03 ? mutateBytes(mutant, random) : mutant;
}

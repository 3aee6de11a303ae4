import type { SchemaElement, SchemaTree } from "hyparquet";

/** An exact decimal number, as JSON writes it. */
export class Decimal {
  readonly text: string;

  /** @param unscaled the number times 10^scale; bytes are big-endian two's complement. */
  constructor(unscaled: number | bigint | Uint8Array, scale: number) {
    const whole = unscaled instanceof Uint8Array ? bytesToInteger(unscaled) : BigInt(unscaled);
    const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, "0");
    const at = digits.length - scale;
    this.text = `${whole < 0n ? "-" : ""}${digits.slice(0, at)}${scale > 0 ? `.${digits.slice(at)}` : ""}`;
  }
}

function bytesToInteger(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex || "0"}`));
}

/** Decimals of 38 digits are the widest in use; a scale beyond is left to the library, and no file can ask for a million zeros. */
const MAX_SCALE = 38;

/** What holds a decimal's whole number. */
const WHOLE: ReadonlySet<string> = new Set(["INT32", "INT64", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"]);

/** Decimals in the columns of one file, read digit for digit: the library multiplies by a float, and 19.99 becomes 19.990000000000002. */
export class Decimals {
  readonly #scales = new Map<SchemaElement, number>();

  /** Takes the type off the decimals of a schema, so that the library reads the numbers that they are multiples of. */
  constructor(schema: SchemaTree) {
    for (const column of schema.children) this.#take(column);
  }

  #take(node: SchemaTree): void {
    const { element, children } = node;
    const { type = "", scale = 0 } = element;
    if (isVariant(node)) return;
    // Of the types that bytes can have this one is free then: the library reads it as it reads geometries.
    if (element.logical_type?.type === "GEOGRAPHY") element.logical_type = { type: "GEOMETRY" };
    if (element.converted_type === "DECIMAL" && WHOLE.has(type) && scale >= 0 && scale <= MAX_SCALE) {
      this.#scales.set(element, scale);
      delete element.converted_type;
      delete element.logical_type;
      if (type === "BYTE_ARRAY") element.logical_type = { type: "GEOGRAPHY" };
    }
    const value = mapValue(node);
    for (const child of value === null ? children : [value]) this.#take(child);
  }

  /** A value of a column, with its decimals exact. */
  exact(value: unknown, column: SchemaTree): unknown {
    if (this.#scales.size === 0 || value === null || value === undefined) return value;
    const node = listElement(column);
    const scale = this.#scales.get(node.element);
    if (Array.isArray(value)) return value.map((item) => this.exact(item, node));
    if (scale !== undefined) return new Decimal(value as number | bigint | Uint8Array, scale);
    if (node.children.length === 0 || isVariant(node)) return value;
    const below = (name: string): SchemaTree => mapValue(node) ?? node.children.find(({ element }) => element.name === name) ?? node;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.exact(item, below(name))]));
  }
}

/** Its values have types of their own, each. */
function isVariant({ element }: SchemaTree): boolean {
  return element.logical_type?.type === "VARIANT";
}

/** What a list holds, however deep; another node itself. */
function listElement(node: SchemaTree): SchemaTree {
  const [repeated, ...others] = node.children;
  if (node.element.converted_type !== "LIST" || repeated === undefined || others.length > 0) return node;
  return listElement(repeated.children.length === 1 ? repeated.children[0]! : repeated);
}

/** The values of a map, whose keys become names; null for any other node. */
function mapValue({ element, children }: SchemaTree): SchemaTree | null {
  return element.converted_type === "MAP" ? (children[0]?.children[1] ?? null) : null;
}

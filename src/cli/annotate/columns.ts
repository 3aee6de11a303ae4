import { RootstockError } from "../../index.ts";

/** What a Parquet column holds. JSON takes what fits nowhere else. */
export type ColumnType = "string" | "integer" | "double" | "boolean" | "json";

/** What a JSON value is; "long" is a whole number that a double cannot hold. */
type Kind = "null" | "string" | "integer" | "long" | "double" | "boolean" | "json";

const MAX_COLUMNS = 4096;
const INT64_MAX = 2n ** 63n - 1n;

function kindOf(value: string): Kind {
  switch (value[0]) {
    case '"':
      return "string";
    case "t":
    case "f":
      return "boolean";
    case "n":
      return "null";
    case "{":
    case "[":
      return "json";
    default:
      return numberKind(value);
  }
}

function numberKind(value: string): Kind {
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(value)) return Number.isFinite(Number(value)) ? "double" : "json";
  if (Number.isSafeInteger(Number(value))) return "integer";
  const whole = BigInt(value);
  return whole >= -INT64_MAX - 1n && whole <= INT64_MAX ? "long" : "json";
}

/** The top-level fields of all rows, in the order in which they first came, and what each holds. */
export class Columns {
  readonly #kinds = new Map<string, Set<Kind>>();

  /** @throws RootstockError `limit-exceeded`, `argument-invalid` for a name that UTF-8 cannot hold */
  add(name: string, value: string): void {
    let kinds = this.#kinds.get(name);
    if (kinds === undefined) {
      if (this.#kinds.size === MAX_COLUMNS) {
        throw new RootstockError("limit-exceeded", `the rows have more than ${MAX_COLUMNS} different fields, and a Parquet file of so many columns is of no use.`);
      }
      // As UTF-8 all of these would be the same U+FFFD.
      if (/\p{Surrogate}/u.test(name)) {
        throw new RootstockError("argument-invalid", `a field is called ${JSON.stringify(name)}, half a character, which no Parquet column can be called. Rename it, or write JSON lines.`);
      }
      this.#kinds.set(name, (kinds = new Set()));
    }
    kinds.add(kindOf(value));
  }

  types(): Map<string, ColumnType> {
    return new Map([...this.#kinds].map(([name, kinds]) => [name, commonType(kinds)]));
  }
}

function commonType(kinds: ReadonlySet<Kind>): ColumnType {
  const holds = (...allowed: Kind[]): boolean => [...kinds].every((kind) => kind === "null" || allowed.includes(kind));
  if (holds("string")) return "string";
  if (holds("boolean")) return "boolean";
  if (holds("integer", "long")) return "integer";
  if (holds("integer", "double")) return "double";
  return "json";
}

/** A value as the writer of Parquet files takes it. */
export function columnValue(type: ColumnType, value: string | undefined): unknown {
  if (value === undefined || value === "null") return null;
  switch (type) {
    case "json":
      return value;
    case "integer":
      return BigInt(value);
    default:
      return JSON.parse(value) as unknown;
  }
}

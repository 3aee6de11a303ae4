// Nothing that the library reads may change what every program shares. Before and after each test file: the same properties with the same
// values on the built-in prototypes and objects, and no new name among the globals.
import { afterAll, expect } from "vitest";

const SHARED: Readonly<Record<string, object>> = {
  "Object.prototype": Object.prototype, "Array.prototype": Array.prototype, "Function.prototype": Function.prototype, "String.prototype": String.prototype,
  "Number.prototype": Number.prototype, "Boolean.prototype": Boolean.prototype, "Symbol.prototype": Symbol.prototype, "BigInt.prototype": BigInt.prototype,
  "RegExp.prototype": RegExp.prototype, "Map.prototype": Map.prototype, "Set.prototype": Set.prototype, "WeakMap.prototype": WeakMap.prototype,
  "Promise.prototype": Promise.prototype, "Error.prototype": Error.prototype, "ArrayBuffer.prototype": ArrayBuffer.prototype, "DataView.prototype": DataView.prototype,
  "TypedArray.prototype": Object.getPrototypeOf(Uint8Array.prototype) as object, "Uint8Array.prototype": Uint8Array.prototype, "Float32Array.prototype": Float32Array.prototype,
  "Iterator.prototype": Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object,
  Object, Array, Function, String, Number, RegExp, Map, Set, Promise, Symbol, JSON, Math, Reflect, Atomics,
}; // prettier-ignore

type Properties = ReadonlyMap<PropertyKey, PropertyDescriptor>;

const propertiesOf = (object: object): Properties => new Map(Reflect.ownKeys(object).map((key) => [key, Reflect.getOwnPropertyDescriptor(object, key)!]));

function differences(name: string, before: Properties, now: Properties): string[] {
  const isSame = (a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean =>
    a !== undefined && b !== undefined && Object.is(a.value, b.value) && a.get === b.get && a.set === b.set;
  return [...new Set([...before.keys(), ...now.keys()])].filter((key) => !isSame(before.get(key), now.get(key))).map((key) => `${name}.${String(key)}`);
}

const before = new Map(Object.entries(SHARED).map(([name, object]) => [name, propertiesOf(object)]));
const globalsBefore = new Set(Object.getOwnPropertyNames(globalThis));
/** The test runner's own. */
const RUNNER = /^_*vite/i;

afterAll(() => {
  const changed = Object.entries(SHARED).flatMap(([name, object]) => differences(name, before.get(name)!, propertiesOf(object)));
  const added = Object.getOwnPropertyNames(globalThis).filter((name) => !globalsBefore.has(name) && !RUNNER.test(name));
  expect({ changed, added }).toEqual({ changed: [], added: [] });
});

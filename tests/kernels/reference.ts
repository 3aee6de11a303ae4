// The scalar twins of reference.wasm, called with typed arrays through as-bind.
//
// as-bind 0.8 carries the loader of AssemblyScript 0.19, whose memory layout is another one: there ArrayBuffer had type id 0
// and the runtime type table two words an entry, today it is 1 and one word. as-bind lets converters be replaced, so ours
// build and read typed arrays in today's layout: an object of three words [buffer, first byte, byte length].
import { readFileSync } from "node:fs";
// @ts-expect-error -- the package describes only its main entry, which is its compiler transform; the runtime has to be named
import * as asBindModule from "as-bind/dist/as-bind.cjs.js";

type TypedArray = Float32Array | Int8Array | Uint8Array | Int16Array | Int32Array;

interface Runtime {
  memory: WebAssembly.Memory;
  __new(size: number, id: number): number;
  __pin(pointer: number): number;
  __unpin(pointer: number): void;
  __collect(): void;
}
interface AsBindInstance {
  exports: Record<string, unknown>;
  loadedModule: { exports: Runtime };
  getTypeId(typeName: string): number;
}
interface Converter {
  ascToJs(instance: AsBindInstance, value: number, typeName: string): unknown;
  jsToAsc(instance: AsBindInstance, value: TypedArray, typeName: string): number;
}
interface AsBind {
  converters: Map<string | RegExp, Converter>;
  instantiateSync(bytes: Uint8Array, imports: object): AsBindInstance;
}

const asBind = asBindModule as unknown as AsBind;
const ARRAY_BUFFER_ID = 1;

for (const type of [Float32Array, Int8Array, Uint8Array, Int16Array, Int32Array]) {
  asBind.converters.set(`~lib/typedarray/${type.name}`, {
    jsToAsc(instance, value, typeName) {
      if (!(value instanceof type)) throw new TypeError(`the reference kernel wants a ${type.name}`);
      const runtime = instance.loadedModule.exports;
      const buffer = runtime.__pin(runtime.__new(value.byteLength, ARRAY_BUFFER_ID));
      const view = runtime.__new(12, instance.getTypeId(typeName));
      runtime.__unpin(buffer);
      new Uint32Array(runtime.memory.buffer, view, 3).set([buffer, buffer, value.byteLength]);
      new Uint8Array(runtime.memory.buffer).set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), buffer);
      return view;
    },
    ascToJs(instance, value) {
      const memory = instance.loadedModule.exports.memory.buffer;
      const [, start, byteLength] = new Uint32Array(memory, value, 3) as unknown as [number, number, number];
      return new type(memory.slice(start, start + byteLength));
    },
  });
}

const bytes = readFileSync(new URL("../../build/wasm/reference.wasm", import.meta.url));
const instance = asBind.instantiateSync(bytes, { env: {} });

/**
 * A twin by its exported name. Typed arrays and numbers in (the array type must be the twin's own), a copy out.
 * A failed bounds check inside throws, as any AssemblyScript assertion does.
 */
export function reference<Result>(name: string, ...args: (TypedArray | number)[]): Result {
  const twin = instance.exports[name];
  if (typeof twin !== "function") throw new Error(`reference.wasm exports no "${name}"`);
  const result = twin(...args) as Result;
  instance.loadedModule.exports.__collect(); // the minimal runtime frees nothing by itself
  return result;
}

import { RootstockError } from "../errors.ts";
import { fileSystem } from "../load/builtin.ts";

/** A kernel binary as the caller may hand it over: its bytes, or a module compiled elsewhere (workerd imports one). */
export type KernelBinary = BufferSource | WebAssembly.Module;

/** Binaries that replace the ones beside the package's code (`build/wasm`). An absent one is read from there. */
export interface KernelBinaries {
  relaxed?: KernelBinary;
  fixed?: KernelBinary;
}

// Written statically, so that bundlers see the files and copy them.
const LOCATIONS = {
  relaxed: () => new URL("../../build/wasm/relaxed.wasm", import.meta.url),
  fixed: () => new URL("../../build/wasm/fixed.wasm", import.meta.url),
};

/**
 * Can this engine run a module with `i16x8.relaxed_dot_i8x16_i7x16_s`? The bytes are the smallest module that uses it:
 * (func (result v128) v128.const 0 v128.const 0 i16x8.relaxed_dot_i8x16_i7x16_s).
 */
export function supportsRelaxedSimd(): boolean {
  return WebAssembly.validate(probe([0xfd, 0x92, 0x02]));
}

/** Can this engine run WebAssembly SIMD at all? The same probe with `i32x4.dot_i16x8_s`. */
export function supportsSimd(): boolean {
  return WebAssembly.validate(probe([0xfd, 0xba, 0x01]));
}

function probe(opcode: number[]): Uint8Array<ArrayBuffer> {
  const zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
  const body = [0x00, ...zero, ...zero, ...opcode, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
    ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // type: () -> v128
    ...[0x03, 0x02, 0x01, 0x00], // function 0 of type 0
    ...[0x0a, body.length + 2, 0x01, body.length, ...body], // code
  ]);
}

/** The bytes or module of a kernel binary. @throws RootstockError `source-unreadable`. */
export async function readBinary(
  name: "relaxed" | "fixed",
  given: KernelBinaries | undefined,
  signal: AbortSignal | undefined,
): Promise<KernelBinary> {
  return given?.[name] ?? readBinaryAt(name, LOCATIONS[name](), signal);
}

/** The bytes of a kernel binary that lies beside the package's code. @throws RootstockError `source-unreadable`. */
export async function readBinaryAt(name: string, url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const fs = url.protocol === "file:" ? fileSystem() : undefined;
    if (fs !== undefined) return fs.readFileSync(url) as Uint8Array<ArrayBuffer>;
    const response = await fetch(url, signal === undefined ? {} : { signal });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RootstockError(
      "source-unreadable",
      `the kernel binary ${name}.wasm could not be read from ${url.href}. Serve it beside the package's code, or pass it as the option wasm.${name}.`,
      { cause },
    );
  }
}

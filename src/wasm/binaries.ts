/** A kernel binary as the caller may hand it over: its bytes, or a module compiled elsewhere (workerd imports one). */
export type KernelBinary = ArrayBuffer | ArrayBufferView<ArrayBuffer> | CompiledModule;

/** A `WebAssembly.Module`, by no name of it: those who have neither DOM's types nor Node's newer ones have none. */
export type CompiledModule = object;

/** Binaries that replace the package's own (`build/wasm`). An absent one is taken from there. */
export interface KernelBinaries {
  relaxed?: KernelBinary;
  fixed?: KernelBinary;
}

/** How an entry of the package comes by its own binaries: from files beside its code, from inside it, or as imported modules. */
export type OwnBinary = (name: keyof KernelBinaries, signal: AbortSignal | undefined) => Promise<KernelBinary>;

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

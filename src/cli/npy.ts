import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { RootstockError } from "../index.ts";
import { syncFolder, writing } from "./disk.ts";
import { writeAll } from "./write-all.ts";

/** Bytes of the header: a multiple of 64, as the format asks, with room for any number of rows. */
const HEADER_BYTES = 128;

/**
 * A header of NumPy's format 1.0 for a C-ordered little-endian float32 matrix
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */
export function npyHeader(rows: number, width: number): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const bytes = new Uint8Array(HEADER_BYTES).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]); // \x93NUMPY, version 1.0
  new DataView(bytes.buffer).setUint16(8, HEADER_BYTES - 10, true);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[HEADER_BYTES - 1] = 0x0a;
  return bytes;
}

/**
 * Writes a matrix row by row without knowing how many there will be. The file has another name until it is whole, so
 * that an interrupted run leaves neither half a file nor the loss of an older one.
 */
export class NpyWriter {
  readonly #path: string;
  readonly #width: number;
  readonly #file: FileHandle;
  #rows = 0;

  private constructor(path: string, width: number, file: FileHandle) {
    this.#path = path;
    this.#width = width;
    this.#file = file;
  }

  /** @throws RootstockError `target-unwritable`, also where the name of the file in the making is taken */
  static async open(path: string, width: number): Promise<NpyWriter> {
    return writing(path, async () => new NpyWriter(path, width, await openNew(partial(path))));
  }

  get rows(): number {
    return this.#rows;
  }

  /** @throws RootstockError `target-unwritable` */
  async add(vectors: readonly Float32Array[]): Promise<void> {
    const bytes = new Uint8Array(vectors.length * this.#width * 4);
    const view = new DataView(bytes.buffer);
    for (const [row, vector] of vectors.entries()) {
      for (const [column, value] of vector.entries()) view.setFloat32((row * this.#width + column) * 4, value, true);
    }
    await writing(this.#path, () => writeAll(this.#file, bytes, HEADER_BYTES + this.#rows * this.#width * 4));
    this.#rows += vectors.length;
  }

  /** Gives the file its name; it is on the disk then. @throws RootstockError `target-unwritable` */
  async finish(): Promise<void> {
    await writing(this.#path, async () => {
      await writeAll(this.#file, npyHeader(this.#rows, this.#width), 0);
      await this.#file.sync();
      await this.#file.close();
      await rename(partial(this.#path), this.#path);
      await syncFolder(this.#path);
    });
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(partial(this.#path), { force: true });
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new RootstockError("target-unwritable", `${path} is there already, perhaps of a run that was killed. Remove it, or give another --output.`, { cause });
  }
}

function partial(path: string): string {
  return `${path}.part`;
}

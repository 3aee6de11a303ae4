import { existsSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { RootstockError } from "../../index.ts";
import { openAnew, syncFolder, writing } from "../disk.ts";
import { writeAll } from "../write-all.ts";

/** A file that grows at its end, and that was cut back to a length at which all of it was known. */
export class AppendFile {
  readonly path: string;
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * Opens a file and cuts it to `bytes`; with 0 it is made anew.
   * @throws RootstockError `source-missing`, `source-truncated` when it is shorter, `target-unwritable`
   */
  static async open(path: string, bytes: number): Promise<AppendFile> {
    if (bytes > 0 && !existsSync(path)) throw new RootstockError("source-missing", `${path} is not there and its checkpoint counts ${bytes} bytes. The run cannot go on; begin anew with --overwrite.`);
    return writing(path, async () => {
      const file = bytes === 0 ? await openAnew(path) : await open(path, "r+");
      try {
        const { size } = await file.stat();
        if (size < bytes) {
          throw new RootstockError("source-truncated", `${path} has ${size} bytes and its checkpoint counts ${bytes}. The run cannot go on; begin anew with --overwrite.`);
        }
        await file.truncate(bytes);
        await syncFolder(path);
        return new AppendFile(path, file, bytes);
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  /** Length so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(text: string): Promise<void> {
    const data = Buffer.from(text);
    await writing(this.path, () => writeAll(this.#file, data, this.#bytes));
    this.#bytes += data.length;
  }

  /** Returns when what was appended would outlast a loss of power. */
  async sync(): Promise<void> {
    await writing(this.path, () => this.#file.datasync());
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

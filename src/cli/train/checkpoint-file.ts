import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import type { CheckpointStore } from "../../finetune/types.ts";
import { RootstockError } from "../../index.ts";
import { syncFolder, writing } from "../annotate/paths.ts";

const DIGEST_BYTES = 32;

/** A checkpoint in a file: the blob and its SHA-256. Replaced by a rename, so that it is whole or the one before. */
export class CheckpointFile implements CheckpointStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get isThere(): boolean {
    return existsSync(this.path);
  }

  /** @throws RootstockError `source-unreadable`, `digest-mismatch` */
  async read(): Promise<Uint8Array | null> {
    if (!this.isThere) return null;
    let bytes;
    try {
      bytes = await readFile(this.path);
    } catch (cause) {
      throw new RootstockError("source-unreadable", `${this.path} could not be read: ${(cause as Error).message}. Check permissions.`, { cause });
    }
    const blob = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_BYTES));
    if (bytes.length > DIGEST_BYTES && digest(blob).equals(bytes.subarray(blob.length))) return blob;
    throw new RootstockError("digest-mismatch", `${this.path} is damaged: its SHA-256 differs. The run cannot go on; begin anew with --restart.`);
  }

  /** @throws RootstockError `target-unwritable`; what was there stays */
  async write(blob: Uint8Array): Promise<void> {
    const temporary = `${this.path}.new`;
    try {
      await writing(this.path, async () => {
        const file = await open(temporary, "w");
        try {
          await file.writeFile(blob);
          await file.writeFile(digest(blob));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, this.path);
        await syncFolder(this.path);
      });
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  async remove(): Promise<void> {
    await rm(`${this.path}.new`, { force: true });
    await rm(this.path, { force: true });
    await syncFolder(this.path);
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

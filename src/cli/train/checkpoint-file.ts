import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import type { CheckpointStore } from "../../finetune/types.ts";
import { RootstockError } from "../../index.ts";
import { replaceFile, syncFolder, unfinished, unreadable } from "../disk.ts";

const DIGEST_BYTES = 32;

/** A checkpoint in a file: the blob and its SHA-256. */
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
    const bytes = await readFile(this.path).catch((cause: unknown) => {
      throw unreadable(this.path, cause);
    });
    const blob = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_BYTES));
    if (bytes.length > DIGEST_BYTES && digest(blob).equals(bytes.subarray(blob.length))) return blob;
    throw new RootstockError("digest-mismatch", `${this.path} is damaged: its SHA-256 differs. The run cannot go on; begin anew with --restart.`);
  }

  /** @throws RootstockError `target-unwritable`; what was there stays */
  async write(blob: Uint8Array): Promise<void> {
    await replaceFile(this.path, [blob, digest(blob)]);
  }

  async remove(): Promise<void> {
    await rm(unfinished(this.path), { force: true });
    await rm(this.path, { force: true });
    await syncFolder(this.path);
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

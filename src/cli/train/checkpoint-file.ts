import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { CheckpointStore } from "../../finetune/types.ts";
import { RootstockError } from "../../index.ts";
import type { Session } from "../session.ts";
import { readIfThere, replaceFile, syncFolder, unfinished } from "../disk.ts";

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

  /** Before a run: it goes where the run is to begin anew; else people hear what is gone on from. */
  async begin(restart: boolean, session: Session): Promise<void> {
    if (restart) await this.remove();
    else if (this.isThere) session.note(`going on from ${this.path}`);
  }

  /** After a run that failed: people who ended it hear what is left. */
  ended(session: Session): void {
    if (session.signal.aborted && this.isThere) session.note(`what was done is kept in ${this.path}; the same command goes on`);
  }

  /** @throws RootstockError `source-unreadable`, `digest-mismatch` */
  async read(): Promise<Uint8Array | null> {
    const bytes = await readIfThere(this.path);
    if (bytes === null) return null;
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

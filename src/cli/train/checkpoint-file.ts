import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import type { CheckpointStore } from "../../finetune/types.ts";
import { RootstockError } from "../../index.ts";
import type { Session } from "../session.ts";
import { fileSize, readIfThere, replaceFile, syncFolder, unfinished, writing } from "../disk.ts";

const DIGEST_BYTES = 32;
/** Of a safetensors header, which has its length before it. */
const LENGTH_BYTES = 8;

/** A checkpoint in a file: the blob and its SHA-256. */
export class CheckpointFile implements CheckpointStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get isThere(): boolean {
    return existsSync(this.path);
  }

  /**
   * Before a run: it goes where the run is to begin anew; else people hear what is gone on from.
   * @throws RootstockError `argument-invalid` where something else has its name, which no run would replace or remove
   */
  async begin(restart: boolean, session: Session): Promise<void> {
    if (!this.isThere) return;
    const size = fileSize(this.path);
    const isOurs = size !== null && (!restart || size === 0 || (await this.#beginsAsOurs()));
    if (!isOurs) throw new RootstockError("argument-invalid", `${this.path} is there, where the run keeps its checkpoint, and no training wrote it. Give it another name.`);
    if (restart) await this.remove();
    else session.note(`going on from ${this.path}`);
  }

  /** A damaged checkpoint, too, begins with the length of a safetensors header and the header's brace. */
  async #beginsAsOurs(): Promise<boolean> {
    const front = new Uint8Array(LENGTH_BYTES + 1);
    const file = await open(this.path);
    try {
      await file.read(front);
    } finally {
      await file.close();
    }
    return front[LENGTH_BYTES] === 0x7b && front.subarray(4, LENGTH_BYTES).every((byte) => byte === 0);
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
    await writing(this.path, async () => {
      await rm(unfinished(this.path), { force: true });
      await rm(this.path, { force: true });
      await syncFolder(this.path);
    });
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

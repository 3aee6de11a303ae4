import type { FileRecord } from "./file-records.ts";
import type { Storing } from "./read-pieces.ts";
import { Seam } from "./seam.ts";

type Records = ReadonlyMap<string, FileRecord>;

/** What one load knows of its folder. What it finds out is stored when its last file has ended, so that a stored folder is of one version. */
export class FolderLoad {
  /** The stored version, as it was when the load began: another page may store one meanwhile. */
  stored: Promise<Records>;
  /** Records of files that the server gave or does not have; null until one was stored to its end. */
  readonly found = new Map<string, FileRecord | null>();
  /** Digests of the files that were opened with known ones. */
  readonly known = new Set<string>();
  /** Was a stored file taken without the server's word? Then so are all after it: they are of its version. */
  isOffline = false;
  /** Pieces of files with known digests on their way into the store. */
  readonly storing: Storing;
  readonly seam = new Seam();

  constructor(stored: Promise<Records>, storing: Storing) {
    this.stored = stored;
    this.storing = storing;
  }

  /** Of the pieces of all files so far. */
  digests(): string[] {
    return [...this.known, ...[...this.found.values()].flatMap((record) => record?.pieces ?? [])];
  }

  /** Has a file other bytes than the stored version, as far as is known? A new date alone is no news. */
  differs(stored: Records): boolean {
    return [...this.found].some(([name, record]) => record === null || String(record.pieces) !== String(stored.get(name)?.pieces));
  }

  /** The stored records with those of this load in their place; null while a file has not arrived. */
  over(stored: Records): Map<string, FileRecord> | null {
    const records = new Map(stored);
    for (const [name, record] of this.found) {
      if (record === null) return null;
      records.set(name, record);
    }
    return records;
  }
}

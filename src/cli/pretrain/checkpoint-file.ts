import { open, readFile, rename, rm } from "node:fs/promises";
import { RootstockError } from "../../index.ts";
import type { CheckpointStore } from "../../pretrain/types.ts";
import { syncFolder, writing } from "../annotate/paths.ts";

/** A checkpoint in a file: whole, or as it was before. */
export function checkpointFile(path: string): CheckpointStore & { remove(): Promise<void> } {
  return {
    async read() {
      try {
        return new Uint8Array(await readFile(path));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw new RootstockError("source-unreadable", `${path} could not be read: ${(cause as Error).message}`, { cause });
      }
    },
    write: (bytes) =>
      writing(path, async () => {
        const temporary = `${path}.new`;
        const file = await open(temporary, "w");
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
        await syncFolder(path);
      }),
    remove: () => rm(path, { force: true }),
  };
}

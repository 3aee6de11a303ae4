import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { RootstockError } from "../../index.ts";
import { syncFolder, writeFlushed, writing } from "../disk.ts";

/** What a run leaves: only `out` is there after its end. */
export interface TrainPaths {
  readonly out: string;
  readonly checkpoint: string;
  /** `out` in the making, and the one that it replaces. */
  readonly partial: string;
  readonly old: string;
}

/** Names of what is written to `out`. A folder that holds anything else is no result of training, and is never replaced. */
const FILES: ReadonlySet<string> = new Set(["adapter_config.json", "adapter_model.safetensors", "config.json", "README.md", "history.json", "report.html"]);

export function trainPaths(out: string): TrainPaths {
  // Without a slash at its end, which the names beside it would be put behind.
  const base = resolve(out);
  return { out: base, checkpoint: `${base}.checkpoint`, partial: `${base}.train-partial`, old: `${base}.train-old` };
}

/**
 * Whether a run may begin, or go on. Nothing is changed.
 *
 * @throws RootstockError `argument-invalid` when something would be overwritten that was not asked to be
 */
export function checkTarget({ out, checkpoint, partial, old }: TrainPaths, restart: boolean): void {
  for (const beside of [partial, old]) {
    const isOurs = !existsSync(beside) || (statSync(beside).isDirectory() && readdirSync(beside).every((name) => FILES.has(name)));
    if (!isOurs) throw refused(`${beside} is there, which training would remove, and holds what no training wrote. Give it another name, or give another --out.`);
  }
  if (!existsSync(out)) return;
  const found = statSync(out).isDirectory() ? readdirSync(out) : null;
  if (found === null) throw refused(`${out} is a file. Give another --out.`);
  const foreign = found.find((name) => !FILES.has(name));
  if (foreign !== undefined) throw refused(`${out} is there already, with ${JSON.stringify(foreign)}, which no training wrote. Give another --out.`);
  if (found.length > 0 && !restart && !existsSync(checkpoint)) throw refused(`${out} is there already. Give another --out, or --restart to train anew and replace it.`);
}

function refused(message: string): RootstockError {
  return new RootstockError("argument-invalid", message);
}

/** Makes the folder that `out` will lie in, and tries to write there: a run of hours must not fail at its end. @throws RootstockError `target-unwritable` */
export async function tryTarget(out: string): Promise<void> {
  await writing(out, async () => {
    await mkdir(dirname(out), { recursive: true });
    await rmdir(await mkdtemp(`${out}.try-`));
  });
}

/** `tryTarget`, and what an earlier run left half made is removed. @throws RootstockError `target-unwritable` */
export async function prepareTarget({ out, partial }: TrainPaths): Promise<void> {
  await tryTarget(out);
  await writing(out, () => rm(partial, { recursive: true, force: true }));
}

/**
 * Puts a folder with these files in the place of `out`: whole, each file flushed to the disk. What is in its way is put aside before, and
 * removed after. A run that is ended in here can do it again, after `prepareTarget`.
 *
 * @throws RootstockError `target-unwritable`; where the files themselves could not be written `out` is as it was
 */
export async function replaceFolder({ out, partial, old }: TrainPaths, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await writing(out, async () => {
    try {
      await mkdir(partial);
      for (const [name, bytes] of files) await writeFlushed(join(partial, name), [bytes]);
      await syncFolder(join(partial, "report.html"));
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
    await rm(old, { recursive: true, force: true });
    if (existsSync(out)) await rename(out, old);
    await rename(partial, out);
    await syncFolder(out);
    await rm(old, { recursive: true, force: true });
  });
}

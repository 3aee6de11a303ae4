import { rename, rm } from "node:fs/promises";
import { syncFolder, writing } from "../disk.ts";
import { journalToParquet, type ParquetPlan } from "./journal-to-parquet.ts";
import type { TargetPaths } from "./paths.ts";

/**
 * The steps from a finished journal, of which the checkpoint says so, to the output alone. A run may be ended between any
 * two: all may be done again from the first as long as the journal is there, and once it is gone the output is whole.
 */
export function finishingSteps(paths: TargetPaths, parquet: ParquetPlan | null): (() => Promise<void>)[] {
  const { output, journal, checkpoint, temporary } = paths;
  const renaming = (from: string) => async (): Promise<void> => {
    await writing(output, () => rename(from, output));
    await syncFolder(output);
  };
  const removing = (path: string) => async (): Promise<void> => {
    await writing(path, () => rm(path));
    await syncFolder(path);
  };
  const toOutput = parquet === null ? [renaming(journal)] : [() => journalToParquet(journal, temporary, parquet), renaming(temporary), removing(journal)];
  return [...toOutput, removing(checkpoint)];
}

import { unfinished } from "../disk.ts";

/** The files of a run: only `output` is there before it begins and after it ends. */
export interface TargetPaths {
  readonly output: string;
  /** Results so far, as JSON lines, whatever the output will be. */
  readonly journal: string;
  readonly checkpoint: string;
  /** The output while it is made from the journal, where it is another format. */
  readonly temporary: string;
}

export function targetPaths(output: string): TargetPaths {
  return { output, journal: `${output}.partial`, checkpoint: `${output}.checkpoint`, temporary: `${output}.partial.new` };
}

/** Every file that a run makes beside its output and takes away. */
export function ownFiles(output: string): string[] {
  const { journal, checkpoint, temporary } = targetPaths(output);
  return [journal, temporary, checkpoint, unfinished(checkpoint)];
}

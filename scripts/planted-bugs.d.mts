export interface PlantedBug {
  readonly name: string;
  /** From the repository's root. */
  readonly file: string;
  /** Stands once in the file, and is replaced by `to`. */
  readonly from: string;
  readonly to: string;
  /** Files or folders of tests, from the repository's root. */
  readonly suites: readonly string[];
}

export const PLANTED_BUGS: readonly PlantedBug[];

/** A command line that makes no sense (exit code 2), as opposed to input that is refused (`RootstockError`, exit code 1). */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

import { describe, RootstockError } from "../errors.ts";
import type { CheckpointStore } from "./types.ts";

/** The option `checkpoint` of a program, before hours of work are to be written there. @throws RootstockError `argument-invalid` */
export function checkStore(given: CheckpointStore | undefined): void {
  if (given === undefined) return;
  const { read, write } = Object(given) as Partial<CheckpointStore>;
  if (typeof read === "function" && typeof write === "function") return;
  throw new RootstockError("argument-invalid", `checkpoint is ${describe(given)}; give an object with read() and write(bytes).`);
}

import type { TestContext } from "vitest";
import { askedFor, findEngine, type EngineCommand, type EngineName } from "./engines.mjs";

/**
 * How to run a script under an engine, in the test that needs it. Where ROOTSTOCK_RUNTIMES is not set an engine that is not here skips the
 * test, with a word; where it is, it names those that must be here, and skips the others.
 *
 * @throws Error when the engine is asked for by name and is not here
 */
export function engineOrSkip(name: EngineName, { skip }: Pick<TestContext, "skip">): EngineCommand {
  const asked = askedFor();
  if (asked !== null && !asked.includes(name)) return skip(`${name} is not among ROOTSTOCK_RUNTIMES`);
  const engine = findEngine(name);
  if (!("absent" in engine)) return engine;
  if (asked !== null) throw new Error(`${name} is asked for and not here: ${engine.absent}.`);
  return skip(`${name} is not here: ${engine.absent}.`);
}

import { expect } from "vitest";
import { RootstockError, type ErrorCode } from "../../src/index.ts";

/** Rejects with exactly that code and a message that names what and what to do. */
export async function refuses(attempt: Promise<unknown>, code: ErrorCode, says: RegExp): Promise<void> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RootstockError);
  expect({ code: (error as RootstockError).code, message: (error as RootstockError).message }).toEqual({
    code,
    message: expect.stringMatching(says) as unknown,
  });
}

/** How much of a randomised test is run, and from which seed. `ROOTSTOCK_SEED=n` repeats a run that failed. */

/** The slow suite (`npm run test:slow`); the same tests run with smaller counts in `npm test`. */
export const IS_SLOW = process.env["ROOTSTOCK_SLOW"] === "1";

function given(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name}=${text}: expected a number above 0.`);
  return value;
}

/** Share of the full counts of the slow suite. */
export const SCALE = given("ROOTSTOCK_SCALE", 1);

/** Every random choice follows from it: fixed in `npm test`, so that it never fails by chance; each slow run has its own (the day's number). */
export const SEED = given("ROOTSTOCK_SEED", IS_SLOW ? Math.floor(Date.now() / 86_400_000) : 1) >>> 0;

/** `ci` cases in `npm test`; `slow` of them, times the scale, in the slow suite. */
export function cases(ci: number, slow: number): number {
  return IS_SLOW ? Math.max(1, Math.round(slow * SCALE)) : ci;
}

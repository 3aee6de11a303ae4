/**
 * How many texts of texts.json the case takes: all 200, and the first 20 where the processor is emulated, some fifty times slower.
 * `ROOTSTOCK_DETERMINISM=short`, which `.ci/run` sets, takes 50 and 5: the whole case needs 11 minutes of two cores.
 */

const length = process.env["ROOTSTOCK_DETERMINISM"];
if (length !== undefined && length !== "short") throw new Error(`ROOTSTOCK_DETERMINISM is "${length}"; it may be "short" or not set`);

const isShort = length === "short";

export const TEXTS = isShort ? 50 : 200;
export const EMULATED_TEXTS = isShort ? 5 : 20;

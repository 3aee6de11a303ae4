import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson, place, readInteger, readObject } from "../format/json.ts";

/**
 * Tokens to which `rootstock eval` cuts texts: `max_length` of the config.json beside an adapter, the length it was trained with.
 *
 * @param most what the encoder takes; the answer where the file says nothing
 * @throws RootstockError `config-invalid`
 */
export function trainedLength(folder: string, most: number): number {
  const path = join(folder, "config.json");
  if (!existsSync(path)) return most;
  const value = readObject(parseJson(readFileSync(path), { where: path }), place(path, "config-invalid")).get("max_length");
  return value === undefined || value === null ? most : Math.min(most, readInteger(value, place(`${path}: max_length`, "config-invalid"), 3, 1 << 20));
}

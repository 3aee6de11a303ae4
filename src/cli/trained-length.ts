import { parseJson, place, readInteger, readObject } from "../format/json.ts";
import { MAX_LABEL_FILE_BYTES } from "../limits.ts";
import { toSource } from "../load/source.ts";
import { readOptionalFile } from "../runtime/files.ts";

/**
 * Tokens to which `rootstock eval` cuts texts: `max_length` of the config.json beside an adapter, the length it was trained with.
 *
 * @param adapter a path or URL, read as `addAdapter` reads it
 * @param most what the encoder takes; the answer where the file says nothing
 * @throws RootstockError `config-invalid`, those of reading files
 */
export async function trainedLength(adapter: string, most: number, signal?: AbortSignal): Promise<number> {
  const path = `${adapter}/config.json`;
  const bytes = await readOptionalFile(toSource(adapter), "config.json", { signal, limit: MAX_LABEL_FILE_BYTES });
  if (bytes === null) return most;
  const value = readObject(parseJson(bytes, { where: path, maxBytes: MAX_LABEL_FILE_BYTES }), place(path, "config-invalid")).get("max_length");
  return value === undefined || value === null ? most : Math.min(most, readInteger(value, place(`${path}: max_length`, "config-invalid"), 3, 1 << 20));
}

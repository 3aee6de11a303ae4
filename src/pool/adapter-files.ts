import { heldFile, toSource, type Source, type SourceLike } from "../load/source.ts";
import { MAX_CONFIG_BYTES, MAX_HEADER_BYTES, MAX_LABEL_FILE_BYTES } from "../limits.ts";
import { isAbsence, readFile } from "../runtime/files.ts";
import { packError, unpackError, type PackedError } from "../packed-error.ts";

/**
 * An adapter's files, read once for all workers. A file that could not be read is there as its error, so that each
 * worker refuses what `Encoder.addAdapter` would refuse first.
 */
export interface PackedAdapter {
  readonly location: string;
  readonly files: ReadonlyMap<string, Uint8Array | PackedError>;
}

/** @param budget bytes that adapters may take: more of the weights is not read */
export async function readAdapter(given: SourceLike, budget: number, signal: AbortSignal): Promise<PackedAdapter> {
  const source = toSource(given);
  const files = new Map<string, Uint8Array | PackedError>();
  for (const [name, limit] of [
    ["adapter_config.json", MAX_CONFIG_BYTES],
    ["config.json", MAX_LABEL_FILE_BYTES],
    ["adapter_model.safetensors", budget + MAX_HEADER_BYTES],
  ] as const) {
    try {
      files.set(name, await readFile(source, name, { signal, limit }));
    } catch (error) {
      signal.throwIfAborted();
      files.set(name, packError(error));
      if (!(name === "config.json" && isAbsence(error))) break;
    }
  }
  return { location: String(source.location), files };
}

/** The worker's side. */
export function adapterSource({ location, files }: PackedAdapter): Source {
  return {
    location,
    async open(file) {
      const bytes = files.get(file)!;
      if (!(bytes instanceof Uint8Array)) throw unpackError(bytes);
      return heldFile(bytes);
    },
  };
}

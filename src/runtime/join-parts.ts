import type { Manifest, ManifestFile } from "../format/types.ts";
import type { OpenFile, Source } from "../load/source.ts";
import { checkSize, orClose } from "./files.ts";

type OpenOptions = Parameters<Source["open"]>[1];

/** Names and sizes of the parts that a file lies in. */
export function partsOf(name: string, { size, partBytes }: ManifestFile): { readonly name: string; readonly size: number }[] {
  if (partBytes === undefined) return [{ name, size }];
  return Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => ({ name: `${name}.part${i}`, size: Math.min(partBytes, size - i * partBytes) }));
}

/**
 * A folder whose large files lie in parts, read as if they were whole. Parts are opened one after the other, and their
 * bytes go on as they arrive; digests are those of the whole file, so where it was cut does not matter to them. They are hashed even where
 * the folder has checked each part: it may have changed between two of them.
 */
export function joinParts(folder: Source, manifest: Manifest): Source {
  return {
    location: folder.location,
    async open(name, options): Promise<OpenFile> {
      const file = manifest.files.get(name);
      if (file?.partBytes === undefined) return folder.open(name, options);
      return { size: file.size, chunks: readParts(folder, partsOf(name, file), options) };
    },
  };
}

async function* readParts(folder: Source, parts: ReturnType<typeof partsOf>, options: OpenOptions): AsyncGenerator<Uint8Array> {
  for (const { name, size } of parts) {
    const part = await folder.open(name, options);
    await orClose(part, () => checkSize(name, part.size ?? size, size));
    yield* part.chunks;
  }
}

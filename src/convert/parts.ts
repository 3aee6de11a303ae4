import { RootstockError } from "../errors.ts";
import { MANIFEST_NAME, MAX_PIECES, writeManifest } from "../format/manifest.ts";
import type { Manifest } from "../format/types.ts";
import type { Source } from "../load/source.ts";
import { readFile } from "../runtime/files.ts";
import { joinParts, partsOf } from "../runtime/join-parts.ts";
import type { FileToWrite } from "./write-folder.ts";

/** The largest weights file that is calibrated, or cut anew: it is held in memory meanwhile. */
export const MAX_WEIGHTS_BYTES = 2 ** 31;

/** The files of a converted folder and its rootstock.json; the file `cut` in parts of `partBytes` when it is larger. */
export function withManifest(files: readonly FileToWrite[], manifest: Manifest, cut: string, partBytes: number | undefined): FileToWrite[] {
  // All are written whole, whatever they were read from, but the one that is cut.
  const described = new Map(Array.from(manifest.files, ([name, { partBytes: _parts, ...file }]) => [name, file] as const));
  const whole = described.get(cut)!;
  if (partBytes !== undefined && whole.size > partBytes * MAX_PIECES) {
    throw new RootstockError("argument-invalid", `partBytes is ${partBytes}, which makes more than ${MAX_PIECES} parts of ${whole.size} bytes. Give a larger number.`);
  }
  const listed = partBytes !== undefined && partBytes < whole.size ? { ...whole, partBytes } : whole;
  const text = writeManifest({ ...manifest, files: described.set(cut, listed) });
  return [
    ...files.flatMap((file) => (file.name === cut ? cutFile(file, partsOf(cut, listed)) : [file])),
    { name: MANIFEST_NAME, parts: [new TextEncoder().encode(text)] },
  ];
}

/** A converted folder as it is, its weights cut anew. @throws RootstockError those of reading it. */
export async function recut(folder: Source, manifest: Manifest, cut: string, partBytes: number, signal: AbortSignal | undefined): Promise<FileToWrite[]> {
  if (!manifest.files.has(cut)) throw new RootstockError("tensor-missing", `rootstock.json of ${folder.location} does not list ${cut}. Convert the encoder again.`);
  const source = joinParts(folder, manifest);
  const files: FileToWrite[] = [];
  for (const name of manifest.files.keys()) files.push({ name, parts: [await readFile(source, name, { signal, limit: MAX_WEIGHTS_BYTES, manifest })] });
  return withManifest(files, manifest, cut, partBytes);
}

/** The bytes of `file`, dealt out to files of the given sizes without being copied. */
function cutFile(file: FileToWrite, places: readonly { readonly name: string; readonly size: number }[]): FileToWrite[] {
  const rest = [...file.parts];
  return places.map(({ name, size }) => {
    const parts: Uint8Array[] = [];
    for (let left = size; left > 0; ) {
      const next = rest.shift()!;
      parts.push(next.subarray(0, left));
      if (next.length > left) rest.unshift(next.subarray(left));
      left -= Math.min(left, next.length);
    }
    return { name, parts };
  });
}

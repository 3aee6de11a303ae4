import type { FileHandle } from "node:fs/promises";

/** Writes all of `bytes`: a disk that is nearly full takes less than it is given before it refuses. @param position null = where the file is */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, position === null ? null : position + at)).bytesWritten;
}

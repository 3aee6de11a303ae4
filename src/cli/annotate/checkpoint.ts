import { createHash } from "node:crypto";
import { parseJson, place, readBoolean, readInteger, readObject, readString, field } from "../../format/json.ts";
import { RootstockError } from "../../index.ts";
import { readIfThere, replaceFile } from "../disk.ts";
import type { Identity } from "./identity.ts";

/** How far a run is. All that it names is on the disk when it is written. */
export interface Checkpoint {
  /** Rows of the input before this one are done, those of other shards included. */
  readonly next: number;
  /** Rows written, and rows refused. */
  readonly good: number;
  readonly bad: number;
  /** Length of the journal. */
  readonly bytes: number;
  /** The file of bad rows and its length; null = the run stops at the first one. */
  readonly errors: { readonly path: string; readonly bytes: number } | null;
  /** Every row is done; what is left is to make the output. */
  readonly finished: boolean;
  readonly identity: Identity;
}

const FORMAT = 1;
const MAX_BYTES = 1 << 24;

/** One line of JSON, and its SHA-256 on the next: no damage reads as another state. */
export function checkpointText(checkpoint: Checkpoint): string {
  const { next, good, bad, bytes, errors, finished, identity } = checkpoint;
  const line = JSON.stringify({ format: FORMAT, next, good, bad, bytes, errors, finished, identity: [...identity] });
  return `${line}\n${sha256(line)}\n`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** @throws RootstockError `digest-mismatch` when it is not as it was written, `format-version`, `json-invalid` */
export function parseCheckpoint(data: Uint8Array, where: string): Checkpoint {
  const [line = "", digest = "", ...rest] = Buffer.from(data).toString().split("\n");
  if (digest !== sha256(line) || rest.length !== 1 || rest[0] !== "") {
    throw new RootstockError("digest-mismatch", `${where} is damaged: its SHA-256 differs. The run cannot go on; begin anew with --overwrite.`);
  }
  const at = place(where);
  const fields = readObject(parseJson(line, { where, maxBytes: MAX_BYTES }), at);
  const count = (name: string): number => readInteger(fields.get(name), field(at, name), 0, Number.MAX_SAFE_INTEGER);
  if (fields.get("format") !== FORMAT) {
    throw new RootstockError("format-version", `${where} is of format ${String(fields.get("format"))}; this version reads ${FORMAT}. Go on with the version that wrote it, or begin anew with --overwrite.`);
  }
  const errors = fields.get("errors");
  return {
    next: count("next"),
    good: count("good"),
    bad: count("bad"),
    bytes: count("bytes"),
    errors: errors === null ? null : readErrors(errors, where),
    finished: readBoolean(fields.get("finished"), field(at, "finished")),
    identity: readIdentity(fields.get("identity"), where),
  };
}

function readErrors(value: unknown, where: string): Checkpoint["errors"] {
  const at = field(place(where), "errors");
  const fields = readObject(value, at);
  return {
    path: readString(fields.get("path"), field(at, "path"), MAX_BYTES),
    bytes: readInteger(fields.get("bytes"), field(at, "bytes"), 0, Number.MAX_SAFE_INTEGER),
  };
}

function readIdentity(value: unknown, where: string): Identity {
  const at = field(place(where), "identity");
  const isPair = (pair: unknown): pair is [string, string] => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
  if (Array.isArray(value) && value.every(isPair)) return new Map(value);
  throw new RootstockError("json-invalid", `${at.path}: expected a list of names and values.`);
}

/** null when there is none. @throws RootstockError as `parseCheckpoint`, `source-unreadable` */
export async function readCheckpoint(path: string): Promise<Checkpoint | null> {
  const data = await readIfThere(path);
  return data === null ? null : parseCheckpoint(data, path);
}

/** Puts a checkpoint in the place of the one before. @throws RootstockError `target-unwritable` */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await replaceFile(path, [checkpointText(checkpoint)]);
}

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadEncoder, RootstockError, type Encoder, type LoadOptions } from "../index.ts";
import { readNamedFolder } from "./arguments.ts";
import { megabytes } from "./print-table.ts";
import { repeated } from "./repeated.ts";
import type { Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

export interface NamedFolder {
  readonly name: string;
  readonly folder: string;
}

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));

/** The encoder that comes with the package. @throws RootstockError `source-missing` */
export function packageEncoder(): string {
  const folder = join(MODELS, "mtpf-minilm-l6");
  if (existsSync(folder)) return folder;
  throw new RootstockError("source-missing", `${folder} is not there, so there is no encoder to take by default. Give --encoder DIR.`);
}

/** The adapters that come with the package, by name. */
export function packageAdapters(): NamedFolder[] {
  const parent = join(MODELS, "adapters");
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, folder: join(parent, name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The adapters of `--adapter`; without one, and with the package's encoder, all that come with it. */
export function chosenAdapters(session: Session, encoder: string | undefined): NamedFolder[] {
  const given = session.values("adapter").map(readNamedFolder);
  return given.length === 0 && encoder === undefined ? packageAdapters() : given;
}

/**
 * Adapters that a task may name: those of `--adapter`, and with the package's encoder those that come with it under other names.
 * @throws UsageError for a name given twice
 */
export function knownAdapters(session: Session, encoder: string | undefined): NamedFolder[] {
  const given = session.values("adapter").map(readNamedFolder);
  const twice = repeated(given.map(({ name }) => name));
  if (twice !== undefined) throw new UsageError(`--adapter names ${JSON.stringify(twice)} twice`);
  const own = encoder === undefined ? packageAdapters() : [];
  return [...own.filter(({ name }) => !given.some((other) => other.name === name)), ...given];
}

/** Options of loading an encoder that people wait for. */
export function loading(session: Session): Required<Pick<LoadOptions, "signal" | "onProgress">> {
  return {
    signal: session.signal,
    onProgress: ({ done, total }) => session.progress(`loading ${megabytes(done)} of ${megabytes(total)}`),
  };
}

export async function openEncoder(folder: string | undefined, session: Session): Promise<Encoder> {
  const encoder = await loadEncoder(folder ?? packageEncoder(), loading(session));
  session.progress(null);
  return encoder;
}

export async function addAdapters(encoder: Pick<Encoder, "addAdapter">, adapters: readonly NamedFolder[], session: Session): Promise<void> {
  for (const { name, folder } of adapters) await encoder.addAdapter(name, folder, { signal: session.signal });
}

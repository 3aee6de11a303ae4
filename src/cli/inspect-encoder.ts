import { basename, resolve } from "node:path";
import { readManifest } from "../format/manifest.ts";
import { MAX_CONFIG_BYTES } from "../limits.ts";
import { checkFiles, readSmallFile, readTensors, summarize } from "./folder-files.ts";
import type { Inspection } from "./inspect.ts";
import { openEncoder } from "./models.ts";
import { byteSize, grouped, megabytes } from "./print-table.ts";
import type { Session } from "./session.ts";

/** Loads an encoder, which checks all that can be checked, and tells what it is. @throws RootstockError as `loadEncoder` */
export async function inspectEncoder(folder: string, session: Session): Promise<Inspection> {
  const manifestBytes = readSmallFile(folder, "rootstock.json", MAX_CONFIG_BYTES);
  const manifest = manifestBytes === null ? null : readManifest(manifestBytes);
  const files = await checkFiles(folder, manifest, session.signal);
  const tensors = summarize(readTensors(folder, "model.safetensors", manifest));
  const start = performance.now();
  const encoder = await openEncoder(folder, session);
  const loadMs = performance.now() - start;
  const { tasks: _, memory, ...info } = encoder.info;
  encoder.dispose();
  const quantization = Object.fromEntries(manifest?.quantization ?? []);
  const hasTokenizer = files.some(({ name }) => name === "tokenizer.json");
  const { weights, workspace, total } = memory;
  const facts = { what: "encoder", folder, ...info, tokenizer: hasTokenizer, tensors, quantization, memory: { weights, workspace, total }, files };
  const rounding = ["method", "calibrationTexts", "cosineMean", "cosineWorst"].filter((key) => key in quantization).map((key) => `${key} ${quantization[key]}`);
  const rows: [string, string][] = [
    ["encoder", basename(resolve(folder))],
    ["family", `${info.family}, ${info.layers} layers of ${info.hidden}, ${info.heads} heads, feed-forward ${info.intermediate}`],
    ["texts", hasTokenizer ? `${grouped(info.vocabulary)} pieces, at most ${info.maxTokens} tokens` : `no tokenizer.json: reads ids below ${grouped(info.vocabulary)} only`],
    ["form", info.converted ? "converted: loads by copying" : "Hugging Face: quantised while loading"],
    ...(rounding.length === 0 ? [] : ([["rounding", rounding.join(", ")]] as [string, string][])),
    ["tensors", `${tensors.tensors} (${tensors.dtypes.join(", ")}), ${grouped(tensors.values)} values`],
    ["fingerprint", info.fingerprint],
    ["kernel", info.kernel],
    ...info.notes.map((note): [string, string] => ["", note]),
    ["memory", `${megabytes(weights)} weights, ${megabytes(workspace)} workspace`],
    ["load", `${loadMs.toFixed(0)} ms`],
    ...files.map(({ name, bytes, checked }, index): [string, string] => [
      index === 0 ? "files" : "",
      `${byteSize(bytes).padStart(9)}  ${checked ? "SHA-256 ok" : "          "}  ${name}`,
    ]),
  ];
  return { facts, rows };
}

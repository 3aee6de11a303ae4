import { basename, resolve } from "node:path";
import { readLabelTable } from "../format/labels.ts";
import { readEncoderFingerprint } from "../format/manifest.ts";
import { readPeftConfig, type NameRule, type PeftConfig } from "../format/peft-config.ts";
import type { TaskInfo } from "../index.ts";
import { MAX_CONFIG_BYTES, MAX_LABEL_FILE_BYTES } from "../limits.ts";
import { checkFiles, readSmallFile, readTensors, summarize } from "./folder-files.ts";
import type { Inspection } from "./inspect.ts";
import { openEncoder } from "./models.ts";
import { byteSize, grouped } from "./print-table.ts";
import type { Session } from "./session.ts";

/** Reads a PEFT folder and, against an encoder, whether it fits. @throws RootstockError as `addAdapter` */
export async function inspectAdapter(folder: string, encoder: string | undefined, session: Session): Promise<Inspection> {
  const config = readPeftConfig(readSmallFile(folder, "adapter_config.json", MAX_CONFIG_BYTES)!);
  const file = readTensors(folder, "adapter_model.safetensors", null);
  const tensors = summarize(file);
  const fingerprint = readEncoderFingerprint(file.metadata, "adapter_model.safetensors");
  const labelBytes = readSmallFile(folder, "config.json", MAX_LABEL_FILE_BYTES);
  const labels = (labelBytes === null || config.task === null ? null : readLabelTable(labelBytes, { labels: true, problemType: false }))?.labels ?? [];
  const files = await checkFiles(folder, null, session.signal);
  const fit = encoder === undefined ? null : await fitOn(encoder, folder, session);
  const method = methodOf(config);
  const facts = { what: "adapter", folder, method, config: jsonOf({ ...config }), labels, trainedOn: fingerprint, tensors, fit, files };
  const rows: [string, string][] = [
    ["adapter", basename(resolve(folder))],
    ["method", method],
    ["task", taskName(config)],
    ["labels", labels.length === 0 ? "none in config.json" : `${labels.length}: ${listed(labels, 6)}`],
    ["targets", targetsOf(config.targets)],
    ...(config.kind === "lora" ? ([["layers", config.layers === null ? "all" : config.layers.join(", ")]] as [string, string][]) : []),
    ...(config.modulesToSave.length === 0 ? [] : ([["saved", config.modulesToSave.join(", ")]] as [string, string][])),
    ["tensors", `${tensors.tensors} (${tensors.dtypes.join(", ")}), ${grouped(tensors.values)} values`],
    ["trained on", fingerprint ?? "not said"],
    ...(fit === null ? [] : ([["fits", fitText(fit)]] as [string, string][])),
    ...files.map(({ name, bytes }, index): [string, string] => [index === 0 ? "files" : "", `${byteSize(bytes).padStart(9)}  ${name}`]),
  ];
  return { facts, rows };
}

interface Fit {
  readonly encoder: string;
  readonly kind: TaskInfo["kind"];
  /** Bytes in the adapter pool. */
  readonly bytes: number;
  readonly firstLayer: number;
}

/** Adds the adapter to the encoder: what does not fit is refused there. */
async function fitOn(encoder: string, folder: string, session: Session): Promise<Fit> {
  const name = "adapter";
  const loaded = await openEncoder(encoder, session);
  try {
    await loaded.addAdapter(name, folder, { signal: session.signal });
    const { kind, bytes, firstLayer } = loaded.info.tasks[0]!;
    return { encoder, kind, bytes, firstLayer };
  } finally {
    loaded.dispose();
  }
}

function fitText({ encoder, bytes, firstLayer }: Fit): string {
  const from = firstLayer < 0 ? "from the embeddings on" : `from layer ${firstLayer} on`;
  return `${encoder}: ${byteSize(bytes)} in the pool, changes the encoder ${from}`;
}

function methodOf(config: PeftConfig): string {
  if (config.kind === "ia3") return "(IA)³";
  const name = config.dora ? "DoRA" : config.rsLora ? "rsLoRA" : "LoRA";
  const patterns = config.rankPattern.size + config.alphaPattern.size > 0 ? ", with rank or alpha patterns" : "";
  return `${name}, rank ${config.rank}, alpha ${config.alpha}${patterns}`;
}

function taskName({ task }: PeftConfig): string {
  if (task === null) return "none: no head";
  return task === "token" ? "token classification (NER)" : "text classification";
}

function targetsOf(targets: NameRule | "all-linear" | null): string {
  if (targets === null) return "the method's default";
  if (targets === "all-linear") return "all linear layers";
  return "regex" in targets ? `/${targets.regex}/` : listed(targets.list, 8);
}

function listed(names: readonly string[], most: number): string {
  return names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")}, …`;
}

/** Maps as objects, so that JSON shows them. */
function jsonOf(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Map ? Object.fromEntries(value) : value]));
}

/** The head that an adapter saved (`modules_to_save`), as the task classes of transformers have it. */

import { quote, RootstockError } from "../errors.ts";
import { MAX_LABELS } from "../limits.ts";

import { SUPPORTED, type PeftConfig } from "./peft-config.ts";
import type { AdapterTensors } from "./peft-tensors.ts";
import type { LinearModule } from "./encoder-modules.ts";
import type { EncoderConfig, Family, HeadDescription, LinearTensors } from "./types.ts";

export interface HeadForm {
  /** Module between the first row and the classifier; none when the pooler is. */
  readonly dense?: string;
  readonly denseActivation?: "relu" | "tanh" | "gelu";
  readonly classifier: string;
}

const ROBERTA_FORM: HeadForm = { dense: "classifier.dense", denseActivation: "tanh", classifier: "classifier.out_proj" };

const SEQUENCE_FORMS: Readonly<Record<Family, HeadForm>> = {
  bert: { classifier: "classifier" },
  albert: { classifier: "classifier" },
  distilbert: { dense: "pre_classifier", denseActivation: "relu", classifier: "classifier" },
  roberta: ROBERTA_FORM,
  "xlm-roberta": ROBERTA_FORM,
  electra: { dense: "classifier.dense", denseActivation: "gelu", classifier: "classifier.out_proj" },
};

/** The modules of a sequence classifier's head, as transformers names them. */
export function sequenceForm(family: Family): HeadForm {
  return SEQUENCE_FORMS[family];
}

/** Outermost modules of the heads, the names under which PEFT wraps and saves them. */
const HEAD_ROOTS = ["classifier", "pre_classifier", "score"];

/** Whether a sequence classifier of the family reads the pooler. */
export function usesPooler(family: Family): boolean {
  return sequenceForm(family).dense === undefined;
}

/**
 * Refuses modules_to_save that replace parts of the shared encoder: its weights are one for all tasks. PEFT matches these
 * names by ending. `encoderPaths` are the modules of the encoder except the pooler.
 */
export function checkModulesToSave(config: PeftConfig, encoderPaths: readonly string[], where: string): void {
  const hit = encoderPaths.find((path) => savesModule(config, path));
  if (hit === undefined) return;
  const names = config.modulesToSave.map(quote).join(", ");
  throw new RootstockError(
    "adapter-unsupported",
    `${where}: modules_to_save (${names}) replaces a part of the encoder, ${hit}; only heads and the pooler can be an adapter's ` +
      `own; ${SUPPORTED}.`,
  );
}

/** "a.b.c" → a, a.b, a.b.c */
function ancestors(path: string): string[] {
  const parts = path.split(".");
  return parts.map((_, i) => parts.slice(0, i + 1).join("."));
}

/** Whether modules_to_save covers the module: PEFT matches the ending of its name or of a module around it. */
export function savesModule(config: PeftConfig, path: string): boolean {
  return config.modulesToSave.some((name) => ancestors(path).some((module) => module.endsWith(name)));
}

function takeDense(tensors: AdapterTensors, path: string, hidden: number): LinearTensors {
  return {
    weight: tensors.take(`${path}.weight`, [[hidden, "adapter-mismatch"], [hidden, "adapter-mismatch"]]),
    bias: tensors.take(`${path}.bias`, [[hidden, "adapter-mismatch"]]),
  };
}

/** The classifier's number of rows is the number of labels; its width is the encoder's. */
function takeClassifier(tensors: AdapterTensors, path: string, hidden: number): LinearTensors & { labels: number } {
  const weight = tensors.takeAnyShape(`${path}.weight`);
  const labels = weight.shape[0] ?? 0;
  if (weight.shape.length !== 2 || labels === 0) {
    throw new RootstockError(
      "tensor-shape",
      `${tensors.where}: ${quote(weight.name)} is [${weight.shape.join(", ")}], a classifier is [labels, ${hidden}].`,
    );
  }
  if (weight.shape[1] !== hidden) {
    throw new RootstockError(
      "adapter-mismatch",
      `${tensors.where}: ${quote(weight.name)} reads ${weight.shape[1]} values, this encoder has ${hidden}.`,
    );
  }
  if (labels > MAX_LABELS) {
    throw new RootstockError(
      "limit-exceeded",
      `${tensors.where}: a head with ${labels} labels; at most ${MAX_LABELS} are read.`,
    );
  }
  return { weight, bias: tensors.take(`${path}.bias`, [[labels, "tensor-shape"]]), labels };
}

/** Takes the pooler when the adapter saved its own. */
function takePooler(config: PeftConfig, tensors: AdapterTensors, pooler: LinearModule | null, hidden: number): LinearTensors | undefined {
  if (pooler === null) return undefined;
  const path = tensors.prefix + pooler.path;
  return savesModule(config, path) ? takeDense(tensors, path, hidden) : undefined;
}

/**
 * Takes the head's tensors. `pooler` is the pooler of the class that the adapter was trained on, null when it has none.
 * Throws `adapter-unsupported` when there is a head but no task type, `tensor-missing`, `tensor-shape`, `adapter-mismatch`.
 */
export function resolveHead(
  config: PeftConfig,
  encoder: EncoderConfig,
  tensors: AdapterTensors,
  pooler: LinearModule | null,
): HeadDescription | null {
  if (config.kind === "lora" && config.bias === "all") {
    const poolerModules = pooler === null ? [] : ancestors(tensors.prefix + pooler.path);
    for (const root of [...HEAD_ROOTS, ...poolerModules]) tensors.dropSavedBiasCopies(root);
  }
  if (config.task === null) {
    // What is read of an adapter without a head are rows of the last state, which no pooler changes: one that was saved is checked and left.
    takePooler(config, tensors, pooler, encoder.hidden);
    const root = HEAD_ROOTS.find((name) => tensors.hasUnder(name));
    if (root === undefined) return null;
    throw new RootstockError(
      "adapter-unsupported",
      `${tensors.where}: there is a head (${root}) but adapter_config.json has no task_type for it; set SEQ_CLS or TOKEN_CLS; ${SUPPORTED}.`,
    );
  }
  const { hidden } = encoder;
  const form: HeadForm = config.task === "token" ? { classifier: "classifier" } : SEQUENCE_FORMS[encoder.family];
  const dense = form.dense === undefined ? {} : { dense: takeDense(tensors, form.dense, hidden) };
  const activation = form.denseActivation === undefined ? {} : { denseActivation: form.denseActivation };
  const { labels, ...classifier } = takeClassifier(tensors, form.classifier, hidden);
  // A token head reads no pooler, so one that was saved with it is a tensor that nothing accounts for.
  const ownPooler = config.task === "sequence" ? takePooler(config, tensors, pooler, hidden) : undefined;
  return { kind: config.task, labels, classifier, ...dense, ...activation, ...(ownPooler === undefined ? {} : { pooler: ownPooler }) };
}

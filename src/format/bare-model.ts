import { parseJson, place, readObject } from "./json.ts";
import type { Family } from "./types.ts";

/** transformers' class of the bare model. */
const CLASSES: Readonly<Record<Family, string>> = {
  bert: "BertModel", distilbert: "DistilBertModel", roberta: "RobertaModel", "xlm-roberta": "XLMRobertaModel", albert: "AlbertModel", electra: "ElectraModel",
};

/** `__metadata__` of its weights: transformers refuses those that do not say what framework's names they have. */
export const BARE_MODEL_METADATA: ReadonlyMap<string, string> = new Map([["format", "pt"]]);

/** An encoder's config.json, made that of the bare model in a type. */
export function bareModelConfig(config: Uint8Array, family: Family, dtype: "F32" | "F16"): Uint8Array {
  const fields = readObject(parseJson(config, { where: "config.json" }), place("config.json"));
  fields.set("architectures", [CLASSES[family]]);
  fields.delete("dtype");
  fields.set("torch_dtype", dtype === "F32" ? "float32" : "float16");
  return new TextEncoder().encode(`${JSON.stringify(Object.fromEntries(fields), null, 2)}\n`);
}

import type { ErrorCode } from "../../src/errors.ts";

/** Which file of which folder the bytes stand for; `safetensors` for the weights of encoders and adapters alike. */
export type AttackedFile =
  | "safetensors"
  | "encoder weights"
  | "config.json"
  | "tokenizer.json"
  | "tokenizer_config.json"
  | "modules.json"
  | "1_Pooling/config.json"
  | "sentence_bert_config.json"
  | "rootstock.json"
  | "converted weights"
  | "adapter_config.json"
  | "adapter weights"
  | "labels";

/** A file made to be refused: by that code, with a message that has those words. */
export interface Attack {
  readonly what: string;
  readonly file: AttackedFile;
  readonly bytes: Uint8Array;
  readonly code: ErrorCode;
  readonly says: readonly string[];
}

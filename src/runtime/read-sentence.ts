import { MODULES_NAME, readModelMaxLength, readModules, readPooling, readSentenceBert, SENTENCE_BERT_NAME } from "../format/sentence-config.ts";
import type { Family, SentenceConfig } from "../format/types.ts";
import { MAX_CONFIG_BYTES } from "../limits.ts";
import type { Source } from "../load/source.ts";
import { readOptionalFile } from "./files.ts";

/**
 * What sentence-transformers would do with a folder in Hugging Face's form; null where it has no modules.json.
 * @param family its first versions named the file of lengths after it
 * @param tokenizerConfig tokenizer_config.json, where there is one
 * @throws RootstockError `json-invalid`, `limit-exceeded`, `config-invalid`, and as `readFile`.
 */
export async function readSentence(source: Source, family: Family, tokenizerConfig: Uint8Array | null, signal: AbortSignal | undefined): Promise<SentenceConfig | null> {
  const small = { signal, limit: MAX_CONFIG_BYTES };
  const list = await readOptionalFile(source, MODULES_NAME, small);
  if (list === null) return null;
  const own = (await readLengths(source, SENTENCE_BERT_NAME, small)) ?? (await readLengths(source, `sentence_${family}_config.json`, small)) ?? {};
  const limits = own.maxTokens === undefined && tokenizerConfig !== null ? { ...own, ...readModelMaxLength(tokenizerConfig) } : own;
  const modules = readModules(list);
  if ("unsupported" in modules) return { pooling: modules.unsupported, ...limits };
  const file = await readOptionalFile(source, modules.poolingFile, small);
  return { pooling: file === null ? `${modules.poolingFile}, which is not there` : readPooling(file, modules.poolingFile), ...limits };
}

async function readLengths(source: Source, name: string, small: Parameters<typeof readOptionalFile>[2]): Promise<ReturnType<typeof readSentenceBert> | null> {
  const bytes = await readOptionalFile(source, name, small);
  return bytes === null ? null : readSentenceBert(bytes, name);
}

import { RootstockError } from "../errors.ts";
import { parseJson } from "../format/json.ts";
import type { EncoderConfig, Manifest } from "../format/types.ts";
import { MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES } from "../limits.ts";
import type { Source } from "../load/source.ts";
import { createTokenizer, type TextTokenizer } from "../text/tokenizer.ts";
import { readOptionalFile, TOKENIZER_NAME } from "./files.ts";

/** What a folder's tokenizer is made of. */
export interface TokenizerFiles {
  readonly tokenizer: Uint8Array;
  readonly config: Uint8Array | null;
}

/** null where the folder has no tokenizer.json. @throws RootstockError as `readFile`. */
export async function readTokenizerFiles(source: Source, signal: AbortSignal | undefined, manifest: Manifest | null): Promise<TokenizerFiles | null> {
  const tokenizer = await readOptionalFile(source, TOKENIZER_NAME, { signal, limit: MAX_TOKENIZER_BYTES, manifest });
  if (tokenizer === null) return null;
  const config = await readOptionalFile(source, "tokenizer_config.json", { signal, limit: MAX_CONFIG_BYTES, manifest });
  return { tokenizer, config };
}

/** @throws RootstockError `tokenizer-invalid`, also when it gives ids that the encoder has no row for, or leaves no position for a text. */
export function makeTokenizer(files: TokenizerFiles | null, { vocabulary, maxPositions }: EncoderConfig): TextTokenizer | null {
  if (files === null) return null;
  const tokenizer = createTokenizer(
    parseJson(files.tokenizer, { where: "tokenizer.json", maxBytes: MAX_TOKENIZER_BYTES }),
    files.config === null ? null : parseJson(files.config, { where: "tokenizer_config.json" }),
  );
  if (tokenizer.vocabSize > vocabulary) {
    throw new RootstockError(
      "tokenizer-invalid",
      `tokenizer.json gives ids up to ${tokenizer.vocabSize - 1} and config.json has a vocabulary of ${vocabulary}. They are not of one model.`,
    );
  }
  if (tokenizer.specialTokenCount >= maxPositions) {
    throw new RootstockError(
      "tokenizer-invalid",
      `tokenizer.json puts ${tokenizer.specialTokenCount} special tokens around a text and config.json has ${maxPositions} positions, which leaves none for the text.`,
    );
  }
  return tokenizer;
}

import { RootstockError } from "../errors.ts";
import type { LoadedEncoder } from "./load-encoder.ts";
import { checkChoice, POOLINGS, type EmbedOptions } from "./options.ts";

export type Pooling = (typeof POOLINGS)[number];

export interface SentenceOptions extends Pick<EmbedOptions, "overflow"> {
  readonly pooling: Pooling;
  readonly maxTokens: number;
  readonly lowerCase: boolean;
}

/**
 * How `embed` makes a vector: as the options say, else as the folder does. Who names a pooling gets that of the text as it is. A folder of
 * sentence-transformers cuts a longer text, as it does there, unless the options say what becomes of one.
 * @throws RootstockError `argument-invalid`; `config-invalid` when neither says what is supported.
 */
export function sentenceOptions({ sentence, machine }: LoadedEncoder, { pooling, maxTokens, overflow, stride }: EmbedOptions): SentenceOptions {
  const { maxPositions } = machine.plan.config;
  const isCut = sentence !== null && maxTokens == null && overflow == null && stride == null;
  const length = { maxTokens: maxTokens ?? Math.min(sentence?.maxTokens ?? maxPositions, maxPositions), ...(isCut ? { overflow: "truncate" as const } : {}) };
  if (pooling !== undefined) return { pooling: checkChoice(pooling, "pooling", POOLINGS), ...length, lowerCase: false };
  const asked = sentence?.pooling ?? "mean";
  const known = POOLINGS.find((name) => name === asked);
  if (known !== undefined) return { pooling: known, ...length, lowerCase: sentence?.lowerCase === true };
  throw new RootstockError(
    "config-invalid",
    `the encoder's folder makes sentence vectors with ${asked}, and embed by the mean of the tokens or by the first one. Pass pooling: "mean" or "cls" to have one of these, or use hiddenStates().`,
  );
}

import { AGGREGATIONS, type Aggregation, type Entity, type EntityGroup } from "../heads/entities.ts";
import { copyList } from "../runtime/copies.ts";
import { checkChoice, checkStrings } from "../runtime/options.ts";
import { checkNames, lengthOptions, textList, type CallOptions } from "./call-options.ts";
import type { Pipeline } from "./made-pipeline.ts";
import type { Residence } from "./residence.ts";

export interface TokenClassificationOptions extends CallOptions {
  /** Labels that are left out; of groups, types. Default `["O"]`. */
  readonly ignore_labels?: readonly string[] | undefined;
  /** `"none"` (default): one entry a token; else one an entity, its words labelled as the name says. */
  readonly aggregation_strategy?: Aggregation | undefined;
  /** The unit of `start` and `end`. Default `"utf16"`, JavaScript's own; `"codepoint"` counts as Python does. */
  readonly offsets?: "utf16" | "codepoint" | undefined;
}

type StrategyOf<Options> = "aggregation_strategy" extends keyof Options ? Options["aggregation_strategy"] : "none";

/** A token, told from an entity by `span.entity !== undefined` or `span.entity_group === undefined`, as with transformers.js's types. */
export interface TokenEntity extends Entity {
  entity_group?: undefined;
}

/** An entity, told from a token in the same way. */
export interface TokenEntityGroup extends EntityGroup {
  entity?: undefined;
  index?: undefined;
}

type Spans<Strategy> = Strategy extends "none" | undefined ? TokenEntity[] : TokenEntityGroup[];

/** Tokens, or entities where `aggregation_strategy` is not `"none"`. */
export type TokenClassificationOutput<Options = TokenClassificationOptions> = Spans<StrategyOf<Options>>;

export interface TokenClassificationPipeline extends Pipeline<"token-classification"> {
  <const Options extends TokenClassificationOptions = {}>(text: string, options?: Options): Promise<TokenClassificationOutput<Options>>;
  <const Options extends TokenClassificationOptions = {}>(texts: readonly string[], options?: Options): Promise<TokenClassificationOutput<Options>[]>;
  <const Options extends TokenClassificationOptions = {}>(texts: string | readonly string[], options?: Options): Promise<TokenClassificationOutput<Options> | TokenClassificationOutput<Options>[]>;
}

type Found = TokenEntity[] | TokenEntityGroup[];

const OPTIONS = ["ignore_labels", "aggregation_strategy", "offsets", "overflow", "stride", "signal"];

/** One text's spans, or a list of them for a list. A text without a word has none. */
export async function classifyTokens(residence: Residence, task: string, texts: string | readonly string[], options: TokenClassificationOptions): Promise<Found | Found[]> {
  checkNames(options, OPTIONS, "token-classification");
  const aggregation = checkChoice(options.aggregation_strategy ?? "none", "aggregation_strategy", AGGREGATIONS);
  const ignoreLabels = copyList(options.ignore_labels ?? ["O"]);
  checkStrings(ignoreLabels, "ignore_labels");
  const offsets = checkChoice(options.offsets ?? "utf16", "offsets", ["utf16", "codepoint"] as const);
  const list = textList(texts);
  const isBlank = (text: string): boolean => text.trim() === "";
  // Something in the place of a blank text: errors name a text by its place in the list.
  const requests = list.map((text) => ({ text: isBlank(text) ? "." : text, tasks: [task] }));
  const wanted = { ...lengthOptions(options), aggregation, ignoreLabels, offsets };
  const found = await residence.run(wanted.signal, (encoder) => encoder.runBatch(requests, wanted));
  const spans = found.map((result, index) => (isBlank(list[index]!) ? [] : (result[task] as Found)));
  return typeof texts === "string" ? spans[0]! : spans;
}

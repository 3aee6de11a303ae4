import type { Classification } from "../heads/classify.ts";
import { checkInteger } from "../runtime/options.ts";
import { checkNames, lengthOptions, textList, type CallOptions } from "./call-options.ts";
import type { Pipeline } from "./made-pipeline.ts";
import type { Residence } from "./residence.ts";

export interface TextClassificationOptions extends CallOptions {
  /** How many labels, the likeliest first: a whole number from 1 up, or null for all. Default 1. */
  readonly top_k?: number | null | undefined;
  /** The same, as earlier versions of transformers.js called it; `top_k` goes before it. */
  readonly topk?: number | null | undefined;
}

type Topk<Options> = "topk" extends keyof Options ? Options["topk"] : 1;

/** Where `top_k` may be undefined, `topk` is what counts then. */
type TopK<Options> = "top_k" extends keyof Options ? (undefined extends Options["top_k"] ? Exclude<Options["top_k"], undefined> | Topk<Options> : Options["top_k"]) : Topk<Options>;

/** A list's labels: of each text one, in one list, where one is asked for; else a list for each. */
type ListOutput<K> = [K] extends [1 | undefined] ? Classification[] : 1 extends K ? Classification[] | Classification[][] : Classification[][];

/** Labels of one text, or of each text of a list. */
export type TextClassificationOutput<Texts extends string | readonly string[] = string, Options = TextClassificationOptions> = Texts extends string
  ? Classification[]
  : ListOutput<TopK<Options>>;

export interface TextClassificationPipeline extends Pipeline<"text-classification"> {
  (text: string, options?: TextClassificationOptions): Promise<Classification[]>;
  <const Options extends TextClassificationOptions = {}>(texts: readonly string[], options?: Options): Promise<ListOutput<TopK<Options>>>;
  (texts: string | readonly string[], options?: TextClassificationOptions): Promise<Classification[] | Classification[][]>;
}

const OPTIONS = ["top_k", "topk", "overflow", "stride", "signal"];

/** Wraps as transformers.js does: lists lie in a list only where there is a list of texts and not one label of each. */
export async function classifyTexts(residence: Residence, task: string, texts: string | readonly string[], options: TextClassificationOptions): Promise<Classification[] | Classification[][]> {
  checkNames(options, OPTIONS, "text-classification");
  const { top_k, topk } = options;
  const [topK, name] = top_k !== undefined ? [top_k, "top_k"] : topk !== undefined ? [topk, "topk"] : [1, "top_k"];
  if (topK !== null) checkInteger(topK, name, 1, Number.MAX_SAFE_INTEGER);
  const requests = textList(texts).map((text) => ({ text, tasks: [task] }));
  const wanted = { ...lengthOptions(options), topK };
  const results = await residence.run(wanted.signal, (encoder) => encoder.runBatch(requests, wanted));
  const labels = results.map((result) => result[task] as Classification[]);
  return typeof texts === "string" || topK === 1 ? labels.flat() : labels;
}

import { defineCommand } from "citty";
import type { EmbedOptions, Encoder } from "../index.ts";
import { POOLINGS } from "../runtime/options.ts";
import { given, readChoice, readTextOptions, TEXT_ARGS } from "./arguments.ts";
import { openEncoder } from "./models.ts";
import { NpyWriter } from "./npy.ts";
import { fileKey, refuseNonFile } from "./output-file.ts";
import { readTexts, textOf, type TextItem } from "./read-texts.ts";
import { inBatches } from "./run-batches.ts";
import type { Command, Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/** The task name of `--adapter`: there is only one here. */
const TASK = "adapter";

const definition = defineCommand({
  meta: { name: "embed", description: "Sentence vectors of length 1" },
  args: {
    text: { type: "positional", required: false, description: 'texts, or "-" for lines of standard input' },
    encoder: TEXT_ARGS.encoder,
    adapter: { type: "string", valueHint: "DIR", description: "adapter to apply (default: none)" },
    input: TEXT_ARGS.input,
    output: { type: "string", valueHint: "FILE", description: "float32 matrix as .npy (default: JSON lines)" },
    pooling: { type: "string", valueHint: "mean|cls", description: "of the tokens (default: as the folder says)" },
    "max-tokens": TEXT_ARGS["max-tokens"],
    overflow: { ...TEXT_ARGS.overflow, description: "longer texts: error, truncate, windows" },
    stride: TEXT_ARGS.stride,
  },
  async run({ args, data }) {
    const session = data as Session;
    const { signal } = session;
    if (args.output !== undefined) refuseNonFile(args.output);
    if (args.output !== undefined && args.input !== undefined && fileKey(args.input) === fileKey(args.output)) throw new UsageError(`${args.output} is given for two things`);
    const options: EmbedOptions = {
      signal,
      task: args.adapter === undefined ? null : TASK,
      ...given("pooling", readChoice(args.pooling, "pooling", POOLINGS)),
      ...readTextOptions(args),
    };
    const texts = readTexts(args._, args.input, signal, args.output !== undefined);
    const encoder = await openEncoder(args.encoder, session);
    if (args.adapter !== undefined) await encoder.addAdapter(TASK, args.adapter, { signal });
    if (args.output === undefined) {
      await embedItems(encoder, texts, options, (items, vectors) => session.write(jsonLines(items, vectors)));
      return;
    }
    const file = await NpyWriter.open(args.output, encoder.info.hidden);
    try {
      await embedItems(encoder, texts, options, async (_, vectors) => {
        await file.add(vectors);
        session.progress(`${file.rows} texts`);
      });
      await file.finish();
    } catch (error) {
      await file.discard();
      throw error;
    }
  },
});

type OnVectors = (items: readonly TextItem[], vectors: readonly Float32Array[]) => Promise<void>;

async function embedItems(encoder: Encoder, texts: AsyncIterable<TextItem[]>, options: EmbedOptions, onResults: OnVectors): Promise<void> {
  const call = (batch: readonly TextItem[]): Promise<Float32Array[]> => encoder.embed(batch.map(textOf), options);
  for await (const items of texts) await inBatches(items, { call, onResults, signal: options.signal });
}

/** {text, embedding}; nine digits tell every float32 from its neighbours. */
function jsonLines(items: readonly TextItem[], vectors: readonly Float32Array[]): string {
  return vectors
    .map((vector, index) => {
      const embedding = Array.from(vector, (value) => Number(value.toPrecision(9)));
      return `${JSON.stringify({ text: textOf(items[index]!), embedding })}\n`;
    })
    .join("");
}

export const embed: Command = { definition, variadic: true };

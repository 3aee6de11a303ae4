import { defineCommand } from "citty";
import { AGGREGATIONS, OFFSETS } from "../heads/entities.ts";
import type { Results } from "../index.ts";
import { given, readChoice, readTextOptions, readTopK, TEXT_ARGS } from "./arguments.ts";
import { addAdapters, chosenAdapters, openEncoder } from "./models.ts";
import { printResults } from "./print-results.ts";
import { readTexts, textOf, type TextItem } from "./read-texts.ts";
import { runItems } from "./run-batches.ts";
import type { Command, Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

const definition = defineCommand({
  meta: { name: "run", description: "Run adapters over texts: entities and labels" },
  args: {
    text: { type: "positional", required: false, description: 'texts, or "-" for lines of standard input' },
    encoder: TEXT_ARGS.encoder,
    adapter: { type: "string", valueHint: "NAME=DIR", description: "a task's name and folder; repeatable (all by default)" },
    input: TEXT_ARGS.input,
    aggregation: { type: "string", valueHint: "HOW", description: "none, simple, first (default), average, max" },
    "top-k": { type: "string", valueHint: "N|all", description: "labels a text (default: 1)" },
    offsets: { type: "string", valueHint: "UNIT", description: "start, end in utf16 (default), codepoint" },
    "max-tokens": TEXT_ARGS["max-tokens"],
    overflow: TEXT_ARGS.overflow,
    stride: TEXT_ARGS.stride,
    json: { type: "boolean", description: "JSON lines: {text, results}" },
  },
  async run({ args, data }) {
    const session = data as Session;
    const adapters = chosenAdapters(session, args.encoder);
    if (adapters.length === 0) throw new UsageError("no adapter given; give --adapter NAME=DIR");
    const offsets = readChoice(args.offsets, "offsets", OFFSETS) ?? "utf16";
    const options = {
      signal: session.signal,
      // People get marks in the text, which need its own units.
      offsets: args.json ? offsets : ("utf16" as const),
      ...given("topK", readTopK(args["top-k"])),
      ...given("aggregation", readChoice(args.aggregation, "aggregation", AGGREGATIONS)),
      ...readTextOptions(args),
    };
    const texts = readTexts(args._, args.input, session.signal);
    const encoder = await openEncoder(args.encoder, session);
    await addAdapters(encoder, adapters, session);
    const names = adapters.map(({ name }) => name);
    const { tasks } = encoder.info;
    let first = true;
    const onResult = async (item: TextItem, results: Results): Promise<void> => {
      const text = textOf(item);
      if (args.json) return session.write(`${JSON.stringify({ text, results })}\n`);
      await session.write((first ? "" : "\n") + printResults(text, results, tasks, { ...session, offsets }));
      first = false;
    };
    for await (const items of texts) await runItems(encoder, items, { tasks: names, options, onResult });
  },
});

export const run: Command = { definition, repeatable: ["adapter"], variadic: true };

import { basename, resolve } from "node:path";
import { defineCommand } from "citty";
import { convertEncoder } from "../convert/convert.ts";
import { RootstockError } from "../index.ts";
import { given, readCount } from "./arguments.ts";
import { listFiles } from "./folder-files.ts";
import { readTexts, textOf } from "./read-texts.ts";
import type { Command, Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/** Texts that calibration reads. The fit of the rounding hardly changes beyond a few hundred, and all are held in memory. */
const MAX_CALIBRATION_TEXTS = 2000;

const definition = defineCommand({
  meta: { name: "convert", description: "Write an encoder in the form that loads fastest" },
  args: {
    source: { type: "positional", required: true, description: "encoder folder as Hugging Face saves it" },
    output: { type: "positional", required: true, description: "folder to write" },
    calibrate: { type: "string", valueHint: "TEXTS", description: "lines of text to fit the rounding to" },
    "part-bytes": { type: "string", valueHint: "N", description: "cut the weights into files of N bytes" },
  },
  async run({ args, data }) {
    const session = data as Session;
    const { signal } = session;
    if (resolve(args.source) === resolve(args.output)) throw new UsageError("the folder to write is the one to read; give another");
    const partBytes = readCount(args["part-bytes"], "part-bytes");
    const calibrate = args.calibrate === undefined ? undefined : await calibrationTexts(args.calibrate, session);
    await convertEncoder(args.source, args.output, {
      ...given("calibrate", calibrate),
      ...given("partBytes", partBytes),
      signal,
      onProgress: ({ stage, done, total }) => session.progress(`${stage} ${Math.floor((100 * done) / Math.max(1, total))} %`),
    });
    session.progress(null);
    const how = calibrate === undefined ? "" : `, calibrated on ${calibrate.length} texts`;
    await session.write(`${basename(resolve(args.output))}: converted${how}\n${await listFiles(args.output, signal)}`);
  },
});

async function calibrationTexts(path: string, session: Session): Promise<string[]> {
  const texts: string[] = [];
  for await (const items of readTexts([], path, session.signal)) {
    texts.push(...items.slice(0, MAX_CALIBRATION_TEXTS - texts.length).map(textOf));
    if (texts.length === MAX_CALIBRATION_TEXTS) break;
  }
  if (texts.length === 0) throw new RootstockError("argument-invalid", `${path} has no texts to calibrate with. Give a file with one text a line.`);
  return texts;
}

export const convert: Command = { definition };

import { RootstockError } from "../errors.ts";
import { fileSystem } from "../load/builtin.ts";

/** `owner/name`, as models are called on the Hugging Face hub; many a path looks so, too. */
const HUB_NAME = /^\w[\w.-]*\/[\w.-]+$/;

/**
 * The error of a folder that was not found, with what is to be done where transformers.js would have downloaded it by this name. A web
 * server may answer with a page instead, which is no model.
 */
export function notDownloaded(error: unknown, given: unknown): unknown {
  if (!(error instanceof RootstockError) || typeof given !== "string" || !HUB_NAME.test(given)) return error;
  const fs = fileSystem();
  const isAbsent = fs === undefined ? error.code === "source-missing" || error.code === "not-a-model" : error.code === "source-missing" && !fs.existsSync(given);
  if (!isAbsent) return error;
  const todo = "download its files (config.json, tokenizer.json, model.safetensors; an adapter's) into a folder and give the path or URL of that: docs/transformers.md";
  return new RootstockError(error.code, `there is no folder "${given}", and models are not downloaded by name. If it is one of the Hugging Face hub, ${todo}. (${error.message})`, { cause: error });
}

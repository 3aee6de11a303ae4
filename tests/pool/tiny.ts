import type { Encoder, TextRequest } from "../../src/index.ts";
import type { EncoderPool } from "../../src/pool/index.ts";
import { TEXTS, tinyFolder } from "../convert/tiny-folder.ts";
import { someLabels } from "../encoder/gap.ts";

export const FOLDER = tinyFolder("bert");
export const SEQUENCE = "tests/golden/peft/adapters/bert-odd-seq";
export const TOKEN = "tests/golden/peft/adapters/bert-odd-token";
/** An adapter of another family. */
export const FOREIGN = "tests/golden/peft/adapters/distilbert-seq";
export const SEQUENCE_LABELS = { labels: someLabels(3) };
export const TOKEN_LABELS = { labels: someLabels(5) };

export async function addTasks<T extends Encoder | EncoderPool>(to: T): Promise<T> {
  await to.addAdapter("topic", SEQUENCE, SEQUENCE_LABELS);
  await to.addAdapter("names", TOKEN, TOKEN_LABELS);
  return to;
}

export const TASKS = [["topic"], ["names"], ["topic", "names"], []] as const;

/** Enough texts for many parts, of several sets of tasks. */
export const REQUESTS: readonly TextRequest[] = Array.from({ length: 200 }, (_, i) => {
  const text = TEXTS[(i * 7) % TEXTS.length]!;
  const tasks = TASKS[i % TASKS.length]!;
  return i % 5 === 0 ? { tokens: text.split(" "), tasks } : { text, tasks };
});

/** What a call comes to, in a form that can be compared: its value, or its error. */
export async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown };
    return { name, message, code };
  }
}

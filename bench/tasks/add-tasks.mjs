// Adds made adapters under names, and takes them away again after a section.
import { makeAdapter } from "../peers/make-adapters.mjs";

/**
 * @param makes one object a task, as `makeAdapter` takes it, without the seed
 * @param use called with the names, in order
 */
export async function withTasks(encoder, makes, use) {
  const names = [];
  try {
    for (const [index, make] of makes.entries()) {
      const name = `task-${index}`;
      await encoder.addAdapter(name, makeAdapter({ ...make, seed: index + 1 }));
      names.push(name);
    }
    return await use(names);
  } finally {
    for (const name of names) await encoder.removeAdapter(name);
  }
}

export const token = { head: "token", classes: 9 };
export const sequence = { head: "sequence", classes: 20 };

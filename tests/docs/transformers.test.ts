import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("the example of docs/transformers.md runs, and finds what it says", () => {
  const [, example] = /```js\n([\s\S]*?)```/.exec(readFileSync("docs/transformers.md", "utf8"))!;
  const shown = 'console.log(JSON.stringify(await ner("Marie Curie moved to Paris.", { aggregation_strategy: "simple" })), dims);\n';
  // Before the last line, which disposes of the pipelines.
  const script = example!.replace(/^for /m, `${shown}for `);
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  const entities = [...example!.matchAll(/score: ([\d.]+), word: '(.+)', start: (\d+), end: (\d+)/g)];
  expect(entities).toHaveLength(2);
  for (const [, score, word, start, end] of entities) {
    const found = new RegExp(`"score":([\\d.]+),"word":"${word!}","start":${start!},"end":${end!}`).exec(output);
    expect(Number(found?.[1]).toFixed(3)).toBe(score);
  }
  expect(output).toMatch(/\[ 1, 384 \]\n$/);
});

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PLANTED_BUGS } from "../../scripts/planted-bugs.mjs";

// `npm run test:teeth` plants them, hours of work: here, that the sources have not gone away from under the list.
describe("the bugs that scripts/plant-bugs.mjs plants", () => {
  it("are more than 20, each of a name of its own", () => {
    expect(PLANTED_BUGS.length).toBeGreaterThan(20);
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
  });

  it.each(PLANTED_BUGS)("$name: its text stands once in $file, and the tests that should catch it are there", ({ file, from, to, suites }) => {
    expect(readFileSync(file, "utf8").split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
    expect(suites.length).toBeGreaterThan(0);
    for (const suite of suites) expect(existsSync(suite), suite).toBe(true);
  });
});

import { expect, it } from "vitest";
import { DEMO_ADAPTERS, DEMO_PARTS } from "../../src/cli/demo-texts.ts";
import { program } from "./program.ts";

it("shows every text and task in 80 columns, and ends by itself", async () => {
  const { code, stdout, stderr } = await program(["demo"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).not.toContain("\x1b");
  for (const line of stdout.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
  const unmarked = stdout.replace(/\[([^|\]]+)\|[^\]]+\]/gs, "$1").replace(/\s+/g, " ");
  for (const { texts } of DEMO_PARTS) for (const text of texts) expect(unmarked).toContain(text);
  for (const { name } of DEMO_ADAPTERS) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  expect(stdout).toMatch(/one text, one task +\d+\.\d\d ms/);
  expect(stdout).toMatch(/whole process +\d+\.\d MB/);
  expect(stdout).toMatch(/^Kernel {2}(fixed|rel1|rel2)/m);
});

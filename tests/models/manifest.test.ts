import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { expect, it } from "vitest";

it("models/MANIFEST names every shipped file with its SHA-256", () => {
  const listed = readFileSync("models/MANIFEST", "utf8").trim().split("\n").map((line) => line.split("  ") as [string, string]);
  const files = readdirSync("models", { recursive: true, encoding: "utf8" })
    .filter((name) => name !== "MANIFEST" && statSync(`models/${name}`).isFile())
    .sort();
  expect(listed.map(([, name]) => name)).toEqual(files);
  for (const [digest, name] of listed) {
    expect(createHash("sha256").update(readFileSync(`models/${name}`)).digest("hex"), name).toBe(digest);
  }
});

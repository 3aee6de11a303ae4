import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nameOf, nodesOf, parseModule, type Node } from "./syntax.ts";

/** What IEEE 754 or the language says to the last bit. The rest of Math, and powers of what is no power of two, are left to the engine. */
const EXACT = new Set(["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt", "trunc", "PI", "SQRT1_2", "SQRT2", "LN2", "LN10", "LOG2E", "LOG10E", "E"]);

/** In the syntax trees of a file: what engines may round each in its own way. */
function inexact(code: string): string[] {
  const found: string[] = [];
  for (const node of nodesOf(parseModule(code, "ts"))) {
    if (node.type === "MemberExpression" && nameOf(node["object"]) === "Math" && !EXACT.has(nameOf(node["property"]) ?? "")) found.push(`Math.${nameOf(node["property"])}`);
    if (node.type === "BinaryExpression" && node["operator"] === "**" && (node["left"] as Node)["value"] !== 2) found.push("**");
    // `const { exp } = Math`, and the like.
    if (node.type === "VariableDeclarator" && nameOf(node["init"]) === "Math") found.push("Math");
  }
  return found;
}

describe("the code that scores and weights come from", () => {
  it("asks engines for nothing that they round each in its own way", () => {
    const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts") && !/^(report|cli)[/\\]/.test(name));
    expect(files.length).toBeGreaterThan(200);
    expect(files.flatMap((name) => inexact(readFileSync(join("src", name), "utf8")).map((what) => `${name}: ${what}`))).toEqual([]);
  });

  it("is looked through in a way that finds it", () => {
    expect(inexact("const a = Math.exp(1) + b ** 2 + 2 ** -3 + Math.sqrt(2); const { cos } = Math;")).toEqual(expect.arrayContaining(["Math.exp", "**", "Math"]));
  });
});

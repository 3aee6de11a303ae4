import { execFileSync } from "node:child_process";
import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AnnotateFolder } from "./annotate-folder.ts";

let folder: AnnotateFolder;
let input: string;

beforeAll(() => {
  folder = new AnnotateFolder();
  folder.rows("in.jsonl", 20);
  input = folder.read("in.jsonl");
});

beforeEach(() => {
  for (const name of readdirSync(folder.path)) if (name.startsWith("out")) rmSync(folder.file(name), { recursive: true });
});

afterAll(() => folder.remove());

const outputs = (): string[] => readdirSync(folder.path).filter((name) => name.startsWith("out"));

describe("one file under two names", () => {
  it.each<[string, (target: string, path: string) => void]>([
    ["a symbolic link", symlinkSync],
    ["a hard link", linkSync],
  ])("is refused for two things: %s", async (_, link) => {
    link(folder.file("in.jsonl"), folder.file("out.link"));
    for (const [output, errors] of [["out.jsonl", "out.link"], ["out.link", "out.errors"]] as const) {
      const { code, stderr } = await folder.annotate("in.jsonl", output, "--errors", folder.file(errors), "--overwrite");
      expect(stderr).toContain("in.jsonl alias ");
      expect(stderr).toContain("out.link is given for two things");
      expect(code).toBe(2);
    }
    expect(folder.read("in.jsonl")).toBe(input);
  });

  it("is refused though it is not there yet, where a folder has two names", async () => {
    mkdirSync(folder.file("out"));
    symlinkSync(folder.file("out"), folder.file("out.folder"));
    for (const errors of ["out.folder/a.jsonl", "out.folder/a.jsonl.partial"]) {
      const { code, stderr } = await folder.annotate("in.jsonl", "out/a.jsonl", "--errors", folder.file(errors));
      expect(stderr).toMatch(/a\.jsonl is given for two things|a\.jsonl\.partial is a file that the run makes beside/);
      expect(code).toBe(2);
    }
  });

  it("is refused where it is one that the run makes", async () => {
    linkSync(folder.file("in.jsonl"), folder.file("out.jsonl.partial"));
    const { code, stderr } = await folder.annotate("in.jsonl", "out.jsonl", "--overwrite");
    expect(stderr).toMatch(/in\.jsonl is a file that the run makes beside/);
    expect(code).toBe(2);
    expect(folder.read("in.jsonl")).toBe(input);
  });
});

describe.skipIf(process.platform === "win32")("an output that is no regular file", () => {
  it.each(["--output", "--errors"])("is refused before any row, with --overwrite too: %s", async (option) => {
    execFileSync("mkfifo", [folder.file("out.pipe")]);
    symlinkSync("/dev/null", folder.file("out.null"));
    for (const [name, more] of [["out.pipe", []], ["out.null", ["--overwrite"]]] as const) {
      const [output, errors] = option === "--output" ? [name, "out.errors"] : ["out.jsonl", name];
      const { code, stderr } = await folder.annotate("in.jsonl", output, "--errors", folder.file(errors), ...more);
      expect(stderr).toMatch(new RegExp(`^rootstock: argument-invalid: .*${name} is no regular file\\. Give ${option} a file\\.`));
      expect(stderr.includes("write to standard output")).toBe(option === "--output");
      expect(code).toBe(1);
    }
    expect(outputs()).toEqual(["out.null", "out.pipe"]);
    expect(lstatSync(folder.file("out.pipe")).isFIFO()).toBe(true);
  });

  it("is refused for bad rows beside standard output as well", async () => {
    const { code, stderr } = await folder.annotate("in.jsonl", "-", "--errors", "/dev/null", "--overwrite");
    expect(stderr).toMatch(/^rootstock: argument-invalid: \/dev\/null is no regular file/);
    expect(code).toBe(1);
  });
});

describe("a link at a name of the run's own", () => {
  it.each([".partial", ".partial.new"])("is not written through, and not in the way: %s", async (ending) => {
    folder.write("out.precious", "precious");
    for (const [target, more] of [["out.precious", ["--overwrite"]], ["out.absent", []]] as const) {
      symlinkSync(folder.file(target), folder.file(`out.jsonl${ending}`));
      expect((await folder.annotate("in.jsonl", "out.jsonl", ...more)).code).toBe(0);
      expect(lstatSync(folder.file("out.jsonl")).isFile()).toBe(true);
      expect(folder.lines("out.jsonl")).toHaveLength(20);
      expect(outputs()).toEqual(["out.jsonl", "out.precious"]);
      expect(folder.read("out.precious")).toBe("precious");
      rmSync(folder.file("out.jsonl"));
    }
  });

  it("is not written through for bad rows", async () => {
    symlinkSync(folder.file("out.absent"), folder.file("out.errors"));
    expect((await folder.annotate("in.jsonl", "out.jsonl", "--errors", folder.file("out.errors"))).code).toBe(0);
    expect(lstatSync(folder.file("out.errors")).isFile()).toBe(true);
    expect(existsSync(folder.file("out.absent"))).toBe(false);
  });
});

describe("a folder at a name of the run's own", () => {
  it.each([".partial", ".partial.new", ".checkpoint.new"])("is told, and leaves no unfinished run: %s", async (ending) => {
    mkdirSync(folder.file(`out.jsonl${ending}`));
    const { code, stderr } = await folder.annotate("in.jsonl", "out.jsonl", "--overwrite");
    expect(stderr).toMatch(/^rootstock: target-unwritable: .*out\.jsonl\.[a-z.]+ could not be written: /);
    expect(code).toBe(1);
    expect(outputs()).toEqual([`out.jsonl${ending}`]);
    rmSync(folder.file(`out.jsonl${ending}`), { recursive: true });
    expect((await folder.annotate("in.jsonl", "out.jsonl")).code).toBe(0);
  });
});

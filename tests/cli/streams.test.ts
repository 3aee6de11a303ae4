import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AnnotateFolder } from "./annotate-folder.ts";
import { adapterFolder, jsonLines, outcome, program, ROOT, start, type Outcome } from "./program.ts";

const RUN = ["run", "--adapter", `mood=${adapterFolder("vader-sentiment")}`, "--json", "-"];

/** Runs the built program with a file as its standard output, after a command of the shell. */
function intoFile(before: string, path: string, args: readonly string[]): Promise<Outcome> {
  return outcome(spawn("sh", ["-c", `${before}; exec "$0" "$@" > "${path}"`, process.execPath, `${ROOT}dist/cli/main.js`, ...args]));
}

describe("streams", () => {
  it("gives a result for each line as it comes, and waits for no further one", async () => {
    const child = start(RUN);
    const done = outcome(child);
    for (const text of ["first", "second", "third"]) {
      child.stdin.write(`${text}\n`);
      const [chunk] = (await once(child.stdout, "data")) as [Buffer];
      expect(jsonLines<{ text: string }>(chunk.toString())[0]!.text).toBe(text);
    }
    child.stdin.end();
    expect((await done).code).toBe(0);
  });

  it("stops without a word when its reader goes away", async () => {
    const child = start(RUN);
    const done = outcome(child);
    child.stdin.end("some words\n".repeat(50_000));
    await once(child.stdout, "data");
    child.stdout.destroy();
    const { code, stderr } = await done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("does its work when nobody reads standard error", async () => {
    const folder = new AnnotateFolder();
    const child = start(folder.args("-", "out.parquet"));
    const done = outcome(child);
    child.stderr.destroy();
    await once(child.stderr, "close");
    child.stdin.end('{"text":"w1"}\n');
    expect((await done).code).toBe(0);
    expect(existsSync(folder.file("out.parquet"))).toBe(true);
    folder.remove();
  });

  it("fails when nobody reads why", async () => {
    const child = start(["run", "--json", "-"]);
    const done = outcome(child);
    child.stderr.destroy();
    await once(child.stderr, "close");
    child.stdin.end("x".repeat(9_000_000));
    expect((await done).code).toBe(1);
  });

  it.skipIf(!existsSync("/dev/full")).each([[["--version"]], [["run", "--adapter", `mood=${adapterFolder("vader-sentiment")}`, "fine"]]])("says in one line that there is no room for its results: %s (needs /dev/full)", async (args) => {
    const { code, stderr } = await intoFile(":", "/dev/full", args);
    expect(stderr).toMatch(/^rootstock: target-unwritable: standard output could not be written: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  it("says that there is no room for the last of its results", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
    // A limit on the size of files stands for the disk.
    const { code, stderr } = await intoFile("ulimit -f 1", join(folder, "help.txt"), ["annotate", "--help"]);
    expect(stderr).toMatch(/^rootstock: target-unwritable: standard output could not be written: [^\n]+\n$/);
    expect(code).toBe(1);
    rmSync(folder, { recursive: true });
  });

  it("stops at Ctrl-C while it waits for input, with exit code 130", async () => {
    const child = start(RUN);
    const done = outcome(child);
    child.stdin.write("first\n");
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const { code, stdout, stderr } = await done;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(jsonLines(stdout)).toHaveLength(1);
  });

  it("ends at once at a second Ctrl-C, though a call of the system stands still", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
    const pipe = join(folder, "nobody-writes");
    execFileSync("mkfifo", [pipe]);
    // It says that it opens the pipe, and after the first Ctrl-C that it goes on.
    const telling = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      const { open } = fs;
      const say = (text) => fs.writeSync(2, text);
      fs.open = (path, ...rest) => {
        open(path, ...rest);
        if (String(path).endsWith("nobody-writes")) say("opens\\n");
      };
      syncBuiltinESMExports();
      process.once("SIGINT", () => setImmediate(() => say("goes on\\n")));`;
    const child = start(["embed", "--encoder", "models/mtpf-minilm-l6", "--input", pipe], { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(telling)}` });
    const done = outcome(child);
    let said = 0;
    child.stderr.on("data", () => child.kill(++said < 3 ? "SIGINT" : "SIGKILL"));
    expect([await done, child.signalCode]).toEqual([{ code: null, stdout: "", stderr: "opens\ngoes on\n" }, "SIGINT"]);
    rmSync(folder, { recursive: true });
  });

  it("stops at Ctrl-C while it writes a file, and leaves none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rootstock-cli-"));
    const path = join(folder, "vectors.npy");
    const child = start(["embed", "--output", path, "-"]);
    const done = outcome(child);
    child.stdin.write("some words that go on and on\n".repeat(20_000));
    while (!existsSync(`${path}.part`)) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGINT");
    const { code, stdout, stderr } = await done;
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: "", stderr: "" });
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
    rmSync(folder, { recursive: true });
  });

  it("holds little of a long input in memory: a line that never ends is refused", async () => {
    const { code, stderr } = await program(RUN, "x".repeat(9_000_000));
    expect(stderr).toMatch(/^rootstock: limit-exceeded: standard input: line 1 is longer than 8000000 characters/);
    expect(code).toBe(1);
  });
});

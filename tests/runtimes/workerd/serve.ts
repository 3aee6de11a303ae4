import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Cloudflare's own, for one isolate: bytes. */
export const MEMORY_LIMIT = 128_000_000;

export interface Worker {
  readonly url: string;
  /** Of workerd itself. */
  readonly pid: number;
  end(): Promise<void>;
}

/** Serves a worker by workerd on a loopback port, the folder of assets as its `ASSETS`. */
export async function serveWorker(entry: string, assets: string): Promise<Worker> {
  const child = spawn(process.execPath, [resolve("scripts/serve-workerd.mjs"), entry, assets], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((done) => child.on("exit", () => done()));
  const line = await new Promise<string>((done, failed) => {
    child.stdout.once("data", (chunk: Buffer) => done(chunk.toString()));
    child.once("exit", () => failed(new Error(`${entry} could not be served`)));
  });
  const { port, pid } = JSON.parse(line) as { port: number; pid: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    pid,
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}

/** Resident memory of a process in bytes, now or at its peak; undefined where there is no /proc. */
export function resident(pid: number, field: "VmRSS" | "VmHWM" = "VmRSS"): number | undefined {
  try {
    return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
  } catch {
    return undefined;
  }
}

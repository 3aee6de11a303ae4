import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";

let server: ChildProcessByStdio<null, Readable, Readable>;
let address: string;
const errors: string[] = [];

beforeAll(async () => {
  server = spawn(process.execPath, ["examples/hono/server.mjs"], { env: { ...process.env, PORT: "0" }, stdio: ["ignore", "pipe", "pipe"] });
  server.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  const [line] = (await once(createInterface(server.stdout), "line")) as [string];
  address = line.replace("listening on ", "");
});

afterAll(() => {
  server.kill("SIGKILL");
});

async function post(body: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${address}/run`, { method: "POST", headers: { "content-type": "application/json" }, body, ...init });
  return { status: response.status, body: await response.json() };
}

it("runs the tasks of a request, and of many at once", async () => {
  const body = JSON.stringify({ text: "Marie Curie lost her card in Warsaw.", tasks: ["people", "intent"] });
  const first = await post(body);
  expect(first).toMatchObject({ status: 200, body: { people: [{ word: "Marie Curie" }, { word: "Warsaw" }], intent: [{ label: "lost_or_stolen_card" }] } });
  for (const answer of await Promise.all(Array.from({ length: 20 }, () => post(body)))) expect(answer).toEqual(first);
});

it("lists its tasks", async () => {
  const response = await fetch(`${address}/tasks`);
  expect(await response.json()).toMatchObject([{ name: "people", kind: "token" }, { name: "intent", kind: "sequence" }]); // prettier-ignore
});

it.each([
  ["no JSON", "{", 400, "argument-invalid"],
  ["JSON of another kind", "null", 400, "argument-invalid"],
  ["no text", '{"tasks":["people"]}', 400, "argument-invalid"],
  ["an empty text", '{"text":" ","tasks":["people"]}', 400, "text-empty"],
  ["an unknown task", '{"text":"a","tasks":["mood"]}', 404, "task-unknown"],
  ["a text that is too long", JSON.stringify({ text: "a ".repeat(600), tasks: ["people"] }), 413, "text-too-long"],
  ["too large a body", JSON.stringify({ text: "a".repeat(1 << 20), tasks: ["people"] }), 413, "request"],
])("answers %s with its error", async (_, body, status, code) => {
  expect(await post(body)).toEqual({ status, body: { error: { code, message: expect.any(String) as string } } });
});

it("answers others after a client has gone away, and stops when it is told to", async () => {
  const long = JSON.stringify({ text: "word ".repeat(500), tasks: ["people", "intent"] });
  // It goes once its request is out, whatever the server has made of it by then.
  const left = request(`${address}/run`, { method: "POST", headers: { "content-type": "application/json" } });
  left.on("error", () => undefined);
  const gone = new Promise((resolve) => left.once("close", resolve));
  left.end(long, () => left.destroy());
  await gone;
  expect((await post(long)).status).toBe(200);
  server.kill("SIGTERM");
  expect(await once(server, "exit")).toEqual([0, null]);
  expect(errors).toEqual([]);
});

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertEncoder } from "../../src/convert/convert.ts";
import { loadEncoder, RootstockError, type Encoder, type ErrorCode } from "../../src/index.ts";
import { tinyFolder } from "../convert/tiny-folder.ts";
import { eventually } from "../eventually.ts";
import { readFolder } from "../runtime/folder.ts";
import { FaultServer, type Answer } from "./fault-server.ts";
import { ADAPTERS, Golden, loadGolden } from "./golden.ts";

const [ADAPTER] = ADAPTERS as [(typeof ADAPTERS)[number]];
const WEIGHTS = "model.safetensors";
const root = mkdtempSync(join(tmpdir(), "rootstock-downloads-"));

let server: FaultServer;
let base: string;
let resident: Encoder;
let golden: Golden;
const folders = new Map<string, ReadonlyMap<string, Uint8Array>>();

beforeAll(async () => {
  await convertEncoder(tinyFolder("bert"), join(root, "converted"));
  folders.set("plain", tinyFolder("bert")).set("converted", readFolder(join(root, "converted"))).set("adapter", ADAPTER.files);
  server = new FaultServer((path) => folders.get(path.replace(/^moved\//, "")));
  base = await server.start();
  resident = await loadGolden();
  golden = await Golden.of(resident);
});

afterAll(async () => {
  resident.dispose();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Loads a folder of the server; of an adapter's, adds it to the encoder that is there. */
async function load(folder: string, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  if (folder === "adapter") return resident.addAdapter("late", `${base}${folder}`, { labels: ADAPTER.labels, ...options });
  const encoder = await loadEncoder(`${base}${folder}`, options);
  for (const { name, files, labels } of ADAPTERS) await encoder.addAdapter(name, files, { labels });
  await golden.expectOf(encoder);
  encoder.dispose();
}

async function refused(folder: string): Promise<RootstockError> {
  const error = await load(folder).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error, folder).toBeInstanceOf(RootstockError);
  return error as RootstockError;
}

/** The encoder that was there is as it was, and without the fault the same folder loads. */
async function expectRecovery(folder: string): Promise<void> {
  server.fault = null;
  await golden.expectSame();
  await load(folder);
  if (folder === "adapter") await resident.removeAdapter("late");
  await golden.expectSame(true);
  await eventually(() => expect(server.open.size).toBe(0));
}

const send = (body: Uint8Array, headers: Record<string, string | number> = {}): Answer => (response) => void response.writeHead(200, { "content-length": body.length, ...headers }).end(body);
const page = Buffer.from("<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome</body></html>");
const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${"4d7a".repeat(16)}\nsize 90868376\n`);
const sendPage = send(page, { "content-type": "text/html" });
const flipped = (body: Uint8Array, at: number): Uint8Array => Uint8Array.from(body, (byte, i) => (i === at ? byte ^ 1 : byte));

/** Ways a download goes wrong, and the code of each for weights of a plain folder, of a converted one, and of an adapter. */
const FAULTS: Record<string, { answer: Answer; codes: readonly [ErrorCode, ErrorCode, ErrorCode] }> = {
  "the connection closes in the middle": {
    answer: (response, body) => {
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, body.length >> 1), () => response.destroy());
    },
    codes: ["source-unreadable", "source-unreadable", "source-unreadable"],
  },
  "the connection is reset in the middle": {
    answer: (response, body) => {
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, body.length >> 1), () => response.socket!.resetAndDestroy());
    },
    codes: ["source-unreadable", "source-unreadable", "source-unreadable"],
  },
  "the connection is reset before the answer": {
    answer: (response) => response.socket!.resetAndDestroy(),
    codes: ["source-unreadable", "source-unreadable", "source-unreadable"],
  },
  "a cache kept a part of it": {
    answer: (response, body, request) => send(body.subarray(0, body.length - 100))(response, body, request),
    codes: ["source-truncated", "source-truncated", "source-truncated"],
  },
  "it ends early and no length was told": {
    answer: (response, body) => {
      response.writeHead(200);
      response.end(body.subarray(0, body.length - 1));
    },
    codes: ["source-truncated", "source-truncated", "source-truncated"],
  },
  "it goes on after its end": {
    answer: (response, body, request) => send(Buffer.concat([body, new Uint8Array(3)]))(response, body, request),
    codes: ["source-truncated", "source-truncated", "source-truncated"],
  },
  "it goes on after its end and no length was told": {
    answer: (response, body) => {
      response.writeHead(200);
      response.end(Buffer.concat([body, new Uint8Array(3)]));
    },
    codes: ["source-truncated", "source-truncated", "source-truncated"],
  },
  "it is empty": { answer: send(new Uint8Array(0)), codes: ["source-truncated", "source-truncated", "source-truncated"] },
  "a page comes with status 200": { answer: sendPage, codes: ["not-a-model", "source-truncated", "not-a-model"] },
  "an LFS pointer comes": { answer: send(pointer), codes: ["not-a-model", "source-truncated", "not-a-model"] },
  "the status is 403": { answer: (response) => void response.writeHead(403).end("no"), codes: ["source-unreadable", "source-unreadable", "source-unreadable"] },
  "the status is 404": { answer: (response) => void response.writeHead(404).end("no"), codes: ["source-missing", "source-missing", "source-missing"] },
  "the status is 503": { answer: (response) => void response.writeHead(503).end(), codes: ["source-unreadable", "source-unreadable", "source-unreadable"] },
  "the status is 204": { answer: (response) => void response.writeHead(204).end(), codes: ["source-unreadable", "source-unreadable", "source-unreadable"] },
  "it is redirected for ever": {
    answer: (response, _, request) => void response.writeHead(302, { location: request.url! }).end(),
    codes: ["source-unreadable", "source-unreadable", "source-unreadable"],
  },
  "it is redirected to nothing": {
    answer: (response) => void response.writeHead(301, { location: "/nowhere/model.safetensors" }).end(),
    codes: ["source-missing", "source-missing", "source-missing"],
  },
  "it is redirected to a closed port": {
    answer: (response) => void response.writeHead(302, { location: closed }).end(),
    codes: ["source-unreadable", "source-unreadable", "source-unreadable"],
  },
  "it is compressed and cut": {
    answer: (response, body, request) => {
      const packed = gzipSync(body);
      send(packed.subarray(0, packed.length >> 1), { "content-encoding": "gzip" })(response, body, request);
    },
    // Node takes the end of the body for the end of the file.
    codes: ["source-truncated", "source-truncated", "source-truncated"],
  },
};

/** An address that nobody listens at. */
let closed = "";
beforeAll(async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  closed = `http://127.0.0.1:${(taken.address() as { port: number }).port}/`;
  await new Promise((resolve) => taken.close(resolve));
});

describe.each(Object.entries(FAULTS))("%s", (_, { answer, codes }) => {
  it.each([["plain", WEIGHTS], ["converted", WEIGHTS], ["adapter", "adapter_model.safetensors"]] as const)("of %s: says so, changes nothing, and loads when it is whole", async (folder, file) => {
    server.fault = { file, answer };
    const { code, message } = await refused(folder);
    expect(code).toBe(codes[["plain", "converted", "adapter"].indexOf(folder)]);
    expect(message).toContain(code === "source-missing" || code === "source-unreadable" ? "" : file);
    await expectRecovery(folder);
  });
});

describe("every file of a folder", () => {
  const FILES = { plain: ["config.json", "tokenizer.json"], converted: ["rootstock.json", "config.json", "tokenizer.json"], adapter: ["adapter_config.json"] };

  it.each(Object.entries(FILES))("of %s that is cut, a page or a pointer is refused by its name", async (folder, files) => {
    for (const file of files) {
      for (const answer of [FAULTS["the connection closes in the middle"]!.answer, FAULTS["a cache kept a part of it"]!.answer, sendPage, send(pointer)]) {
        server.fault = { file, answer };
        const { code, message } = await refused(folder);
        // A page for rootstock.json stands for none, as 404 does; its weights are not to be read without it.
        expect(answer === sendPage && file === "rootstock.json" ? ["tensor-missing"] : ["source-unreadable", "source-truncated", "json-invalid", "not-a-model"]).toContain(code);
        expect(message).toContain(file);
      }
    }
    await expectRecovery(folder);
  });

  it("of a converted folder that differs by one bit has a digest-mismatch, wherever the bit is", async () => {
    const converted = folders.get("converted")!;
    for (const file of ["config.json", "tokenizer.json", WEIGHTS]) {
      const { length } = converted.get(file)!;
      for (const at of [0, 9, 40, length >> 1, length - 1]) {
        server.fault = { file, answer: (response, body, request) => send(flipped(body, at))(response, body, request) };
        const { code, message } = await refused("converted");
        expect({ at, code, message }).toEqual({ at, code: "digest-mismatch", message: expect.stringContaining(file) as unknown });
      }
    }
    await expectRecovery("converted");
  });
});

describe("a host that answers with its page, and 200, for every file that is not there", () => {
  const spa: Answer = sendPage;

  it("serves an encoder that was not converted, and an adapter without config.json", async () => {
    for (const folder of ["plain", "adapter"]) {
      server.absent = spa;
      await load(folder);
      if (folder === "adapter") await resident.removeAdapter("late");
    }
    server.absent = null;
  });

  it("is told by its address when the path is wrong", async () => {
    server.absent = spa;
    const path = `${base}plain/nowhere/`;
    await expect(loadEncoder(path)).rejects.toMatchObject({ code: "not-a-model", message: `config.json of ${path} is an HTML page: some servers answer so for a file that is not there, or ask to sign in. Check the path.` });
    await expect(resident.addAdapter("late", path)).rejects.toMatchObject({ code: "not-a-model", message: expect.stringContaining(`adapter_config.json of ${path} is an HTML page`) as unknown });
    server.absent = null;
    await golden.expectSame();
  });
});

describe("a download that is right", () => {
  it("by way of a redirect, compressed, or without a length gives the same bits", async () => {
    const answers: Answer[] = [
      (response, _, request) => void (request.url!.startsWith("/moved/") ? response.end(folders.get(request.url!.split("/")[2]!)!.get(request.url!.split("/")[3]!)) : response.writeHead(307, { location: `/moved${request.url!}` }).end()),
      (response, body, request) => send(gzipSync(body), { "content-encoding": "gzip" })(response, body, request),
      (response, body) => {
        response.writeHead(200);
        response.end(body);
      },
      // A byte at a time at the border of header and data, and in pieces of odd lengths.
      (response, body) => {
        response.writeHead(200, { "content-length": body.length });
        void (async () => {
          for (let at = 0, size = 1; at < body.length; at += size, size = 1 + ((size * 7) % 4093)) {
            if (!response.write(body.subarray(at, at + size))) await new Promise((resolve) => response.once("drain", resolve));
          }
          response.end();
        })();
      },
    ];
    for (const folder of ["plain", "converted", "adapter"]) {
      for (const answer of answers) {
        server.fault = { file: folder === "adapter" ? "adapter_model.safetensors" : WEIGHTS, answer };
        await load(folder);
        if (folder === "adapter") await resident.removeAdapter("late");
      }
    }
    await expectRecovery("plain");
  });
});

describe("a server that keeps the connection open and sends next to nothing", () => {
  /** A byte now and then for ever; aborts after the sixth. */
  const slow = (abort: () => void): Answer => (response, body) => {
    response.writeHead(200, { "content-length": body.length });
    let at = 0;
    const timer = setInterval(() => {
      response.write(body.subarray(at, ++at));
      if (at === 6) abort();
    }, 5);
    response.on("close", () => clearInterval(timer));
  };
  /** The headers never come; aborts once the server has the request. */
  const silent = (abort: () => void): Answer => () => void setImmediate(abort);

  it.each([["plain", WEIGHTS], ["plain", "config.json"], ["converted", WEIGHTS], ["adapter", "adapter_model.safetensors"], ["adapter", "adapter_config.json"]])("%s, %s: an abort ends it with its reason, and the connection", async (folder, file) => {
    for (const answer of [slow, silent]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      server.fault = { file, answer: answer(() => controller.abort(reason)) };
      await expect(load(folder, controller.signal)).rejects.toBe(reason);
      await eventually(() => expect(server.open.size).toBe(0));
    }
    await expectRecovery(folder);
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers the request of one file in place of the server; `body` is what it should have sent. */
export type Answer = (response: ServerResponse, body: Uint8Array, request: IncomingMessage) => void;

/** A file server on the loopback interface that answers one file wrongly, as `fault` says. */
export class FaultServer {
  fault: { readonly file: string; readonly answer: Answer } | null = null;
  /** Answers for files that are not there, in place of 404. */
  absent: Answer | null = null;
  /** Responses that are not finished and whose connection is open. */
  readonly open = new Set<ServerResponse>();
  readonly #server: Server;

  constructor(folder: (path: string) => ReadonlyMap<string, Uint8Array> | undefined) {
    this.#server = createServer((request, response) => {
      this.open.add(response);
      response.on("close", () => this.open.delete(response));
      const [, path = "", file = ""] = /^\/(.*)\/([^/]*)$/.exec(new URL(request.url!, "http://localhost").pathname) ?? [];
      const body = folder(path)?.get(file);
      if (this.fault?.file === file && body !== undefined) this.fault.answer(response, body, request);
      else if (body === undefined && this.absent !== null) this.absent(response, new Uint8Array(0), request);
      else if (body === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-length": body.length }).end(body);
    });
  }

  /** @returns the address, ending in "/" */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

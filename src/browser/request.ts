import { RootstockError } from "../errors.ts";
import { drop, lengthOf, missing, unreadable } from "../load/source.ts";
import type { StoredFile } from "./file-records.ts";

/** What a server says about a file. */
export type Answer =
  /** The stored one is still right. */
  | { readonly kind: "unchanged"; readonly stored: StoredFile }
  | { readonly kind: "missing" }
  /** No answer that could be this file: no network, a server in trouble, a sign-in page in its place. */
  | { readonly kind: "unreachable"; readonly error: RootstockError; readonly page?: Response }
  | { readonly kind: "file"; readonly response: Response };

/** Asks for a file; `stored` is the one that an answer may confirm. Rejects with `signal.reason` alone. */
export async function ask(url: URL, stored: StoredFile | null, signal: AbortSignal | undefined): Promise<Answer> {
  let response: Response;
  try {
    response = await getOrPlain(url, stored === null ? {} : conditions(url, stored), signal);
  } catch (cause) {
    signal?.throwIfAborted();
    return { kind: "unreachable", error: unreadable(url.href, cause) };
  }
  const { status } = response;
  if (status === 304 && stored !== null) return { kind: "unchanged", stored };
  if (status === 200 && response.body !== null) {
    if (stored !== null && isSame(response, stored)) {
      await drop(response);
      return { kind: "unchanged", stored };
    }
    const isPage = /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
    if (!isPage) return { kind: "file", response };
    return { kind: "unreachable", error: unreadable(url.href, new Error("the server answers with an HTML page")), page: response };
  }
  await drop(response);
  if (status === 404 || status === 410) return { kind: "missing" };
  return { kind: "unreachable", error: unreadable(url.href, new Error(`HTTP status ${status}`)) };
}

/**
 * A file whose digests are known: its bytes from `from` up to and without `to`, or all of them where the server cannot do less.
 * @returns the body, and which byte it starts at
 * @throws RootstockError `source-missing`, `source-unreadable`, `source-truncated`
 */
export async function askRange(url: URL, from: number, to: number, size: number, signal: AbortSignal | undefined): Promise<{ body: ReadableStream<Uint8Array>; at: number }> {
  const isWhole = from === 0 && to === size;
  let response: Response;
  try {
    response = await get(url, isWhole ? {} : { range: `bytes=${from}-${to - 1}` }, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable(url.href, cause);
  }
  const { status, headers, body } = response;
  if (body === null || (status !== 200 && (status !== 206 || isWhole))) {
    await drop(response);
    if (status === 404 || status === 410) throw missing(url.pathname.slice(url.pathname.lastIndexOf("/") + 1), new URL(".", url).href);
    throw unreadable(url.href, new Error(`HTTP status ${status}`));
  }
  // Other origins may hide both headers; the pieces' digests tell then.
  const expected = status === 206 ? to - from : size;
  const start = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1];
  if (!canCarry(response, expected) || (status === 206 && start !== undefined && Number(start) !== from)) {
    await drop(response);
    throw new RootstockError("source-truncated", `${url.href}: the server sends ${lengthOf(headers) ?? "other"} bytes where ${expected} are expected. Copy the folder to the server again.`);
  }
  return { body, at: status === 206 ? from : 0 };
}

/** Can a response be of so many bytes, by the length it names? Another origin shows a page that of what was sent, and hides whether it was compressed. */
export function canCarry({ headers, type }: Response, bytes: number): boolean {
  const length = lengthOf(headers);
  return length === null || length === bytes || (length < bytes && type === "cors");
}

/** Again without the headers where it fails with them: a redirect to another origin takes them along, whose preflight may be refused. */
async function getOrPlain(url: URL, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await get(url, headers, signal);
  } catch (cause) {
    if (Object.keys(headers).length === 0 || signal?.aborted === true) throw cause;
    return get(url, {}, signal);
  }
}

function get(url: URL, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Response> {
  // The browser's own HTTP cache would hold the weights a second time.
  return fetch(url, { cache: "no-store", headers, ...(signal === undefined ? {} : { signal }) });
}

/** If-None-Match would cost another origin a preflight that many file servers refuse; there the answer's own ETag is compared. */
function conditions(url: URL, { etag, modified }: StoredFile): Record<string, string> {
  if (typeof location !== "undefined" && location.origin !== url.origin) return {};
  if (etag !== null) return { "if-none-match": etag };
  return modified === null ? {} : { "if-modified-since": modified };
}

function isSame({ headers }: Response, { etag, modified }: StoredFile): boolean {
  if (etag !== null) return headers.get("etag") === etag;
  return modified !== null && headers.get("last-modified") === modified;
}

// The page's end of encoder-worker.js.

export class EncoderClient {
  #worker;
  #calls = new Map();
  #next = 0;

  constructor(url) {
    this.#worker = new Worker(url, { type: "module", name: "encoder" });
    this.#worker.addEventListener("message", ({ data }) => this.#answered(data));
    this.#worker.addEventListener("error", (event) => this.#failed(event));
  }

  /**
   * Calls a method of the worker. Aborting `signal` ends it there as well.
   * @param onProgress called with what the method reports on the way
   */
  call(method, args = {}, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const id = this.#next++;
      const abort = () => {
        this.#calls.delete(id);
        this.#worker.postMessage({ abort: id });
        reject(signal.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      const settle = (finish) => (value) => {
        this.#calls.delete(id);
        signal?.removeEventListener("abort", abort);
        finish(value);
      };
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress });
      this.#worker.postMessage({ id, method, args });
    });
  }

  #answered({ id, result, error, progress }) {
    const call = this.#calls.get(id);
    if (call === undefined) return; // aborted meanwhile
    if (progress !== undefined) call.onProgress?.(progress);
    else if (error !== undefined) call.reject(Object.assign(new Error(error.message), { name: error.name, code: error.code }));
    else call.resolve(result);
  }

  #failed(event) {
    event.preventDefault();
    for (const { reject } of this.#calls.values()) reject(new Error(event.message || "The worker could not be started."));
  }
}

import { useEffect, useState } from "react";
import { loadEncoder } from "rootstock";
import { cached } from "rootstock/browser";

const NOTHING = { encoder: null, results: null, error: null };

/** An encoder with adapters, `{ task: folder }`, while the component is there, and what its tasks say about `text`. */
export function useRootstock(model, adapters, text) {
  const [state, setState] = useState(NOTHING);
  const [percent, setPercent] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = ({ done, total }) => setPercent(Math.floor((100 * done) / total));
    loadEncoder(cached(model), { signal, onProgress }).then(async (encoder) => {
      signal.addEventListener("abort", () => encoder.dispose());
      for (const [name, folder] of Object.entries(adapters)) await encoder.addAdapter(name, cached(folder), { signal });
      setState({ ...NOTHING, encoder });
    }).catch((error) => signal.aborted || setState({ ...NOTHING, error })); // prettier-ignore
    return () => (controller.abort(), setState(NOTHING));
  }, [model, JSON.stringify(adapters)]);
  useEffect(() => {
    if (state.encoder === null || text.trim() === "") return;
    const controller = new AbortController();
    const running = state.encoder.run(text, Object.keys(adapters), { signal: controller.signal, overflow: "windows" });
    running.then((results) => setState((s) => ({ ...s, results })), (error) => controller.signal.aborted || setState((s) => ({ ...s, error }))); // prettier-ignore
    return () => controller.abort();
  }, [state.encoder, text]);
  return { ...state, percent };
}

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useRootstock } from "./use-rootstock.js";

const ADAPTERS = { entities: "/models/adapters/wikigold", mood: "/models/adapters/vader-sentiment" };

function Entities() {
  const [text, setText] = useState("Marie Curie loved Warsaw.");
  const { encoder, results, error, percent } = useRootstock("/models/mtpf-minilm-l6", ADAPTERS, text);
  return (
    <main>
      <label>
        Text <textarea value={text} onChange={({ target }) => setText(target.value)} />
      </label>
      {error !== null && <p role="alert">{error.message}</p>}
      {encoder === null && error === null && <p role="status">Loading, {percent} %</p>}
      <ul>{results?.entities.map(({ entity_group, word, start }) => <li key={start}>{`${entity_group} ${word}`}</li>)}</ul>
      {results && <p id="mood">{results.mood[0].label}</p>}
    </main>
  );
}

const root = createRoot(document.getElementById("root"));
root.render(
  <StrictMode>
    <Entities />
  </StrictMode>,
);

/** For pages that take the application off again. */
export const unmount = () => root.unmount();

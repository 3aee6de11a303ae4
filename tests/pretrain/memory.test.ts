import { expect, it } from "vitest";
import { readEncoderConfig } from "../../src/format/encoder-config.ts";
import { place } from "../../src/format/json.ts";
import { planPretraining } from "../../src/pretrain/model.ts";
import { readSettings } from "../../src/pretrain/settings.ts";
import { Layout } from "../../src/wasm/memory.ts";

const bert = (hidden: number, layers: number) =>
  readEncoderConfig(new TextEncoder().encode(JSON.stringify({
    model_type: "bert", vocab_size: 30_522, hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: hidden / 32, intermediate_size: 4 * hidden,
    hidden_act: "gelu", max_position_embeddings: 512, type_vocab_size: 2, layer_norm_eps: 1e-12, pad_token_id: 0,
  })));

function planned(hidden: number, layers: number, change: object = {}): { rows: number; bytes: number } {
  const layout = new Layout();
  const { model } = planPretraining(layout, bert(hidden, layers), readSettings(change, place("settings")), 353);
  return { rows: model.work.rows, bytes: layout.end };
}

it("a pass holds a whole batch where there is memory, and less where not", () => {
  expect(planned(384, 6).rows).toBe(2 * 32 * 48);
  expect(planned(384, 6, { regime: "ner-only" }).rows).toBe(32 * 48);
  expect(planned(384, 6, { pairs: { batchSize: 256 } }).rows).toBe(4096);
  const large = planned(768, 6); // DistilBERT's sizes
  expect(large.rows).toBeLessThan(2 * 32 * 48);
  expect(large.rows).toBeGreaterThanOrEqual(48);
  expect(large.bytes).toBeLessThan(2 ** 31);
});

it.each(["task-primary", "naive", "shared-group", "ner-only"])("a probe does not change the cut into passes, nor the bits with it: %s", (regime) => {
  for (const [hidden, layers, batchSize] of [[768, 6, 32], [384, 12, 32], [384, 12, 64], [384, 6, 64], [384, 6, 32]] as const) {
    const [on, off] = [10, null].map((every) => planned(hidden, layers, { regime, ner: { batchSize }, pairs: { batchSize }, probe: { every } }));
    expect(off!.rows, `${hidden} × ${layers}, batches of ${batchSize}`).toBe(on!.rows);
    // The room itself is there only where it is used.
    expect(off!.bytes < on!.bytes).toBe(regime !== "ner-only");
  }
});

it("a frozen encoder takes less than half of the memory", () => {
  const [frozen, trained] = [planned(384, 6, { regime: "groups-only", passRows: 48 }), planned(384, 6, { passRows: 48, probe: { every: null } })];
  expect(frozen.bytes).toBeLessThan(0.45 * trained.bytes);
});

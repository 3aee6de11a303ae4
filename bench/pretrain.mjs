// An update of pre-finetuning at MiniLM's sizes (32 sentences, 32 pairs, 353 classes, about 1,850 tokens), by regime: tokens a second on one
// core, wall clock and the process' own time. Beside it full mode of `node bench/train.mjs --only full`, which has no tokens but one batch's.
//
//   npm run build && taskset -c 1 node bench/pretrain.mjs [--rounds 3] [--rows 4096] [--regimes task-primary,naive,…] [--probe]
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { readEncoderConfig } from "../dist/format/encoder-config.js";
import { place } from "../dist/format/json.js";
import { readSettings } from "../dist/pretrain/settings.js";
import { Trainer } from "../dist/pretrain/trainer.js";
import { printTable } from "./table.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    rows: { type: "string", default: "4096" },
    regimes: { type: "string", default: "task-primary,naive,ner-only,tc-only,groups-only,shared-group,pcgrad" },
    probe: { type: "boolean", default: false },
  },
});
const CLASSES = 353;

const config = readEncoderConfig(new TextEncoder().encode(JSON.stringify({
  model_type: "bert", vocab_size: 30_522, hidden_size: 384, num_hidden_layers: 6, num_attention_heads: 12, intermediate_size: 1536,
  hidden_act: "gelu", max_position_embeddings: 512, type_vocab_size: 2, layer_norm_eps: 1e-12, pad_token_id: 0,
})));

const idsOf = (length, text) => Int32Array.from({ length }, (_, i) => 1000 + ((text * 977 + i * 7919) % 20_000));
const lengthOf = (mean, i) => mean - 8 + ((i * 5) % 17);
const ner = Array.from({ length: 32 }, (_, i) => {
  const ids = idsOf(lengthOf(23, i), i);
  const read = Int32Array.from({ length: Math.floor(ids.length * 0.7) }, (__, at) => 1 + Math.floor(at * 1.3));
  const allowed = Uint8Array.from({ length: CLASSES }, (__, c) => (c < 21 ? 1 : 0));
  return { ids, read, labels: read.map((at) => (at * 7) % 21), allowed };
});
const tc = Array.from({ length: 32 }, (_, i) => ({ a: idsOf(lengthOf(14, i), 100 + i), b: idsOf(lengthOf(21, i + 3), 200 + i) }));

const rows = [];
for (const regime of values.regimes.split(",")) {
  const settings = readSettings({ regime, passRows: Number(values.rows), probe: { every: values.probe ? 1 : null } }, place("settings"));
  let seed = 1;
  const trainer = await Trainer.start({ config, settings, classes: CLASSES }, (m, parameters) => {
    for (const { name, value, count } of parameters.all()) {
      const floats = m.memory.floats(value, count);
      for (let i = 0; i < count; i++) floats[i] = /LayerNorm.weight/.test(name) ? 1 : ((seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0) / 2 ** 31) * 0.035;
    }
  });
  const { families } = trainer.plan.regime;
  const batch = { ner: families.includes("ner") ? ner : null, tc: families.includes("tc") ? tc : null };
  const best = { wall: Infinity, cpu: Infinity };
  let tokens = 0;
  for (let round = 0; round <= Number(values.rounds); round++) {
    const before = process.cpuUsage();
    const start = performance.now();
    tokens = (await trainer.update(batch)).record.tokens;
    const { user, system } = process.cpuUsage(before);
    if (round === 0) continue;
    best.wall = Math.min(best.wall, (performance.now() - start) / 1000);
    best.cpu = Math.min(best.cpu, (user + system) / 1e6);
  }
  rows.push([regime, String(tokens), (tokens / best.wall).toFixed(0), (tokens / best.cpu).toFixed(0), `${(trainer.machine.memory.bytes / 2 ** 20).toFixed(0)} MiB`]);
}
console.log(`${cpus()[0].model}, Node ${process.version}; passes of at most ${values.rows} rows, best of ${values.rounds} updates`);
printTable(["regime", "tokens", "tokens/s", "by the processor's time", "memory"], rows);

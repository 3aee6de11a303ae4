// Sections A and B: several tasks over the ragged batch, beside peers that run the whole encoder once a task.
import { openNative, openWeb } from "../peers/onnxruntime.mjs";
import { openTransformers, openTransformersWasm } from "../peers/transformers.mjs";
import { ALL_TARGETS, lastLayers } from "../peers/make-adapters.mjs";
import { RAGGED, sum } from "../peers/texts.mjs";
import { interleave } from "../measure.mjs";
import { ms, printGoal, printTable, times } from "../table.mjs";
import { sequence, token, withTasks } from "./add-tasks.mjs";

const layers = lastLayers(2);
const few = { layers, rank: 8 };
const many = { layers, rank: 8, targets: ALL_TARGETS };

/** Cosine below which a peer is said to run another encoder; int8 per channel keeps 0.97 and more of float32. */
const SAME = 0.95;

const WEB = { name: "onnxruntime-web", open: ({ onnx }, count) => openWeb(onnx, count) };
const NATIVE = { name: "onnxruntime-node", open: ({ onnx }, count) => openNative(onnx, count) };
const TRANSFORMERS = { name: "transformers.js (native), from text", open: ({ onnx, folder }, count) => openTransformers(onnx, folder, count) };
const TRANSFORMERS_WASM = { name: "transformers.js (WASM), from text", open: ({ onnx, folder }, count) => openTransformersWasm(onnx, folder, count) };

export async function fourTasks(context) {
  const makes = [{ ...token, ...few }, { ...token, ...many }, { ...sequence, ...few }, { ...sequence, ...many }];
  // The WASM form of transformers.js comes last: it sets onnxruntime-web up anew, which is the same module.
  const { rows, ratio } = await compare(context, makes, [WEB, NATIVE, TRANSFORMERS, TRANSFORMERS_WASM]);
  if (context.onnx !== undefined) {
    goal("onnxruntime-web one by one, of Rootstock's time", ratio("onnxruntime-web, one by one"), 4);
    goal("onnxruntime-web padded, of Rootstock's time", ratio("onnxruntime-web, padded"), 6);
    const native = Math.min(...["one by one", "padded"].map((way) => ratio(`onnxruntime-node, ${way}`) ?? Infinity));
    if (Number.isFinite(native)) console.log(`no goal: the better of native onnxruntime's two, of Rootstock's time: ${times(native)}`);
  }
  return rows;
}

export async function eightTasks(context) {
  const makes = Array.from({ length: 8 }, (_, i) => ({ ...(i < 2 ? token : sequence), ...(i % 2 === 0 ? few : many) }));
  const { rows, ratio } = await compare(context, makes, [NATIVE]);
  if (context.onnx !== undefined) {
    const native = ["one by one", "padded"].map((way) => ratio(`onnxruntime-node, ${way}`)).filter((value) => value !== undefined);
    if (native.length > 0) goal("the better of native onnxruntime's two, of Rootstock's time", Math.min(...native), 1);
  }
  return rows;
}

function goal(what, value, least) {
  if (value !== undefined) printGoal(what, value, least);
}

/** Rows of the table, and each way's time as a multiple of Rootstock's. */
async function compare(context, makes, peers) {
  const { encoder, rounds } = context;
  const texts = context.take(RAGGED);
  const open = context.onnx === undefined ? [] : await openAll(context, peers, makes.length, texts[0]);
  if (context.onnx === undefined) console.log("(give --onnx FILE for the peers)");
  const rows = await withTasks(encoder, makes, (tasks) => {
    const requests = texts.map(({ text }) => ({ text, tasks }));
    return interleave([
      { name: "Rootstock runBatch, from text", run: () => encoder.runBatch(requests) },
      { name: "Rootstock logits, from ids, one by one, nothing shared", run: () => apart(encoder, texts, tasks) },
      ...open.flatMap(({ name, peer }) => [
        { name: `${name}, one by one`, run: peer.oneByOne(texts) },
        { name: `${name}, padded`, run: peer.padded(texts) },
      ]),
    ], rounds);
  });
  for (const { peer } of open) await peer.close();

  const heads = makes.map(({ head }) => head);
  const ner = heads.filter((head) => head === "token").length;
  console.log(`${texts.length} texts, ${sum(RAGGED)} tokens; ${heads.length} tasks (${ner} NER, ${heads.length - ner} TC) on layers ${layers.join(" and ")} of 6; best of ${rounds}`);
  const own = rows[0];
  printTable(
    ["", "ms", "median", "texts/s", "tokens/s", "of Rootstock's", "CPU ms", "of Rootstock's"],
    rows.map(({ name, best, median, cpu }) => [
      name, ms(best), ms(median), ((texts.length / best) * 1000).toFixed(0), ((sum(RAGGED) / best) * 1000).toFixed(0), times(best / own.best),
      ms(cpu), times(cpu / own.cpu),
    ]),
  );
  const ratio = (name) => {
    const row = rows.find((candidate) => candidate.name === name);
    return row && row.best / own.best;
  };
  return { rows, ratio };
}

/** One text and one task a call: what sharing the trunk and the batch is worth. */
async function apart(encoder, texts, tasks) {
  for (const task of tasks) for (const { ids } of texts) await encoder.logits(ids, task);
}

/** Opens the peers; one that cannot be opened is left out, with its reason. */
async function openAll(context, peers, count, sample) {
  const open = [];
  for (const { name, open: openPeer } of peers) {
    try {
      const peer = await openPeer(context, count);
      if (peer.mean) await checkSame(context.encoder, peer, name, sample);
      open.push({ name, peer });
    } catch (error) {
      console.log(`${name} is left out: ${error.message}`);
    }
  }
  return open;
}

async function checkSame(encoder, peer, name, sample) {
  const [own] = await encoder.embed([sample.text]);
  const other = await peer.mean(sample);
  const dot = (a, b) => a.reduce((total, value, i) => total + value * b[i], 0);
  const cosine = dot(own, other) / Math.sqrt(dot(own, own) * dot(other, other));
  if (!(cosine > SAME)) throw new Error(`its sentence vector has a cosine of ${cosine.toFixed(3)} to Rootstock's; it is of another encoder.`);
}

// Protocol "linear": encoder and family adapter frozen, a softmax regression on top.
import { trainingRows } from "./data.mjs";
import { featuresOf } from "./features.mjs";
import { L2, STEPS } from "./fitting.mjs";
import { outcomesOf, packOutcomes, score } from "./scores.mjs";
import { SoftmaxRegression } from "./softmax.mjs";

/**
 * Features are made once for all cells of a task.
 * @param {{ share: number, subset: number | null }[]} cells
 * @yields for each cell, in order, its figures
 */
export async function* linearCells(encoder, adapter, task, cells) {
  const train = await featuresOf(encoder, adapter, task, task.train);
  const dev = await featuresOf(encoder, adapter, task, task.dev);
  const test = await featuresOf(encoder, adapter, task, task.test);
  const head = await SoftmaxRegression.make({ rows: train.labels.length, width: encoder.info.hidden, classes: task.classes.length });
  for (const { share, subset } of cells) {
    const texts = trainingRows(task.train.length, share, subset);
    head.load(train.features, featureRows(train, texts), train.labels);
    const best = bestFit(head, task, dev);
    const predicted = predictions(task, task.test, test, head.predict(best.fit.x, test.features));
    const { metric, ...others } = score(task, task.test, predicted);
    yield { rows: texts.length, test: metric, ...others, dev: best.metric, l2: best.l2, iterations: best.fit.iterations, outcomes: packOutcomes(outcomesOf(task, task.test, predicted)) };
  }
}

function bestFit(head, task, dev) {
  let best = null;
  let start;
  for (const l2 of L2) {
    const fit = head.fit({ l2, ...STEPS, start });
    start = fit.x;
    const { metric } = score(task, task.dev, predictions(task, task.dev, dev, head.predict(fit.x, dev.features)));
    if (best === null || metric > best.metric) best = { l2, fit, metric };
  }
  return best;
}

/** Feature rows of some of the texts. */
function featureRows({ starts }, texts) {
  return Int32Array.from(Array.from(texts, (text) => Array.from({ length: starts[text + 1] - starts[text] }, (_, i) => starts[text] + i)).flat());
}

/** Names of the classes that were chosen: a label a text, or a tag a word, "O" for words without tokens. */
function predictions({ kind, classes }, rows, { starts, places }, chosen) {
  if (kind === "tc") return Array.from(chosen, (index) => classes[index]);
  return rows.map(({ tokens }, text) => {
    const tags = tokens.map(() => "O");
    for (let row = starts[text]; row < starts[text + 1]; row++) tags[places[row]] = classes[chosen[row]];
    return tags;
  });
}

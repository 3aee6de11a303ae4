import { copyGradients } from "../train/adamw.ts";
import type { TrainMachine } from "../train/machine.ts";
import { zeroGradients, type Parameter } from "../train/parameters.ts";
import type { UpdateBatch } from "./batch.ts";
import { addPairGradients, addSentenceGradients, type GradientContext } from "./gradients.ts";
import { partOf, type PretrainingModel } from "./model.ts";
import { inPlace, sumGradients } from "./sum-gradients.ts";
import type { ProbePart, TaskFamily } from "./types.ts";

/** Inner products of NER's gradient n and TC's t on one part of the backbone. */
interface Products {
  readonly nn: number;
  readonly nt: number;
  readonly tt: number;
}

const NOTHING: Products = { nn: 0, nt: 0, tt: 0 };

function sumOf(a: Products, b: Products): Products {
  return { nn: a.nn + b.nn, nt: a.nt + b.nt, tt: a.tt + b.tt };
}

/** Products by part; "layers", the last, is all layers together. */
function productsByPart(backbone: Iterable<Parameter>, products: (parameter: Parameter) => Products): Map<string, Products> {
  const parts = new Map<string, Products>();
  for (const parameter of backbone) parts.set(partOf(parameter), sumOf(parts.get(partOf(parameter)) ?? NOTHING, products(parameter)));
  const layers = [...parts].filter(([part]) => part !== "embeddings").map(([, made]) => made);
  return parts.set("layers", layers.reduce(sumOf, NOTHING));
}

function cosineOf({ nn, nt, tt }: Products): number {
  return nn > 0 && tt > 0 ? nt / Math.sqrt(nn * tt) : 0;
}

/**
 * Compares the gradients of an update: NER's has been put aside. TC's lies alone at the gradients' place (`isApart`), or has been added there
 * to NER's, and is then the difference: no bit of the training differs for the probe.
 * @param weights what the losses counted in the gradients
 */
export function probeUpdate(
  { train }: TrainMachine, { aside }: PretrainingModel, isApart: boolean, weights: Readonly<Record<TaskFamily, number>>,
): ProbePart[] {
  const products = productsByPart(aside.keys(), (parameter) => {
    const { gradient, count } = parameter;
    const n = aside.get(parameter)!;
    const nn = train.innerProduct(n, n, count);
    const nb = train.innerProduct(n, gradient, count);
    const bb = train.innerProduct(gradient, gradient, count);
    return isApart ? { nn, nt: nb, tt: bb } : { nn, nt: nb - nn, tt: bb - 2 * nb + nn };
  });
  return [...products].map(([part, made]) => {
    const ratio = made.tt > 0 && weights.ner > 0 ? (Math.sqrt(made.nn / made.tt) * weights.tc) / weights.ner : 0;
    return { part, cosine: cosineOf(made), ratio, ner: null, tc: null };
  });
}

type Gradients = ReadonlyMap<string, Float32Array>;

/**
 * Compares means of gradients, two of each family, each over batches of its own: single batches of one family hardly agree with each other,
 * so the cosine within a family is the ceiling of what can be seen between the two. Gradients at their place are lost.
 * @param batches the batches of each mean: NER and TC of the first, then of the second
 */
export async function probeMeans(context: GradientContext, batches: readonly [readonly UpdateBatch[], readonly UpdateBatch[]]): Promise<ProbePart[]> {
  const { machine: m, plan, peers } = context;
  const meanOf = async (family: TaskFamily, own: readonly UpdateBatch[]): Promise<Gradients> => {
    zeroGradients(m, plan.model.parameters);
    for (const { ner, tc } of own) {
      if (family === "ner") await addSentenceGradients(context, ner!, 1 / own.length);
      else await addPairGradients(context, tc!, 1 / own.length);
    }
    await sumGradients(m, peers, plan.model, inPlace(plan.backbone), own);
    return copyGradients(m, plan.backbone);
  };
  const ner = [await meanOf("ner", batches[0]), await meanOf("ner", batches[1])] as const;
  const tc = [await meanOf("tc", batches[0]), await meanOf("tc", batches[1])] as const;
  zeroGradients(m, plan.model.parameters);
  const between = (x: Gradients, y: Gradients): Map<string, Products> =>
    productsByPart(plan.backbone, ({ name }) => ({ nn: dot(x.get(name)!, x.get(name)!), nt: dot(x.get(name)!, y.get(name)!), tt: dot(y.get(name)!, y.get(name)!) }));
  const crossed = ner.flatMap((n) => tc.map((t) => between(n, t)));
  const [withinNer, withinTc] = [between(...ner), between(...tc)];
  return [...withinNer.keys()].map((part) => ({
    part,
    cosine: crossed.reduce((sum, made) => sum + cosineOf(made.get(part)!), 0) / crossed.length,
    ratio: crossed.reduce((sum, made) => sum + ratioOf(made.get(part)!), 0) / crossed.length,
    ner: cosineOf(withinNer.get(part)!),
    tc: cosineOf(withinTc.get(part)!),
  }));
}

function ratioOf({ nn, tt }: Products): number {
  return tt > 0 ? Math.sqrt(nn / tt) : 0;
}

function dot(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

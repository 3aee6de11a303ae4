// Limited-memory BFGS (Nocedal & Wright, Numerical Optimization, 2006, algorithm 7.5) with a line search that brackets the weak Wolfe
// conditions (Lewis & Overton, 2013). Float64 throughout: functions may be float32 inside, whose rounding then ends the search.

/**
 * Minimises a smooth function.
 *
 * @param {(x: Float64Array, gradient: Float64Array) => number} evaluate value at x; the gradient is written
 * @param {Float64Array} start not changed
 * @param {{ iterations?: number, tolerance?: number, pairs?: number }} [options] at most `iterations` steps (default 100); ends before
 *   when the gradient's norm is at most `tolerance` (default 1e-5) times its norm at `start`, or when no step lowers the value
 * @returns {{ x: Float64Array, value: number, iterations: number, evaluations: number, gradientNorm: number }}
 */
export function minimise(evaluate, start, { iterations = 100, tolerance = 1e-5, pairs = 10 } = {}) {
  const history = [];
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = evaluate(x, gradient);
  let norm = Math.sqrt(dot(gradient, gradient));
  const enough = tolerance * norm;
  let evaluations = 1;
  let done = 0;
  while (done < iterations && norm > enough) {
    const direction = quasiNewton(gradient, history);
    const found = search(evaluate, { x, value, gradient }, direction, history.length === 0 ? Math.min(1, 1 / norm) : 1);
    evaluations += found.evaluations;
    if (found.point === null) break;
    const s = difference(found.point.x, x);
    const y = difference(found.point.gradient, gradient);
    const curvature = dot(s, y);
    // Rounding can turn it negative where the function is all but flat.
    if (curvature > 1e-12 * dot(y, y)) history.push({ s, y, rho: 1 / curvature });
    if (history.length > pairs) history.shift();
    ({ x, value, gradient } = found.point);
    norm = Math.sqrt(dot(gradient, gradient));
    done++;
  }
  return { x, value, iterations: done, evaluations, gradientNorm: norm };
}

/** −H·gradient by the two-loop recursion. */
function quasiNewton(gradient, history) {
  const direction = gradient.map((entry) => -entry);
  const shares = [];
  for (const { s, y, rho } of history.toReversed()) {
    const share = rho * dot(s, direction);
    shares.push(share);
    add(direction, y, -share);
  }
  const last = history.at(-1);
  if (last !== undefined) scale(direction, 1 / (last.rho * dot(last.y, last.y)));
  for (const { s, y, rho } of history) add(direction, s, shares.pop() - rho * dot(y, direction));
  return direction;
}

/** Doubles a step that still goes down too steeply, and halves the bracket around one that went too far. */
function search(evaluate, from, direction, first) {
  const slope = dot(from.gradient, direction);
  if (!(slope < 0)) return { point: null, evaluations: 0 };
  let low = 0;
  let high = Infinity;
  let best = null;
  let step = first;
  // Near the function's rounding no step may do; elsewhere one or two of these are taken.
  const most = 12;
  for (let evaluations = 1; evaluations <= most; evaluations++) {
    const x = from.x.map((entry, i) => entry + step * direction[i]);
    const gradient = new Float64Array(x.length);
    const value = evaluate(x, gradient);
    const point = { x, value, gradient };
    if (!(value <= from.value + 1e-4 * step * slope)) high = step;
    else {
      if (dot(gradient, direction) >= 0.9 * slope) return { point, evaluations };
      low = step;
      best = point;
    }
    step = high === Infinity ? 2 * low : (low + high) / 2;
  }
  return { point: best, evaluations: most };
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function add(to, from, factor) {
  for (let i = 0; i < to.length; i++) to[i] += factor * from[i];
}

function scale(vector, factor) {
  for (let i = 0; i < vector.length; i++) vector[i] *= factor;
}

function difference(a, b) {
  return a.map((entry, i) => entry - b[i]);
}

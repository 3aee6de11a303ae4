// Scalar twin of f32/exp.ts.

const SHIFTER: f32 = 12582912.0; // 1.5·2^23: adding it rounds to an integer, kept in the low bits

/** 2^fraction · 2^n, n given as the f32 SHIFTER + n. */
function compose(fraction: f32, shifted: f32): f32 {
  let power: f32 = 0.000153458205475;
  power = power * fraction + <f32>0.00133999312578;
  power = power * fraction + <f32>0.0096184889235;
  power = power * fraction + <f32>0.0555032877688;
  power = power * fraction + <f32>0.24022646891;
  power = power * fraction + <f32>0.693147205737;
  power = power * fraction + <f32>1;
  return reinterpret<f32>(reinterpret<i32>(power) + (reinterpret<i32>(shifted) << 23));
}

/** The larger of two; `x` when either is NaN. */
export function atLeast(x: f32, bound: f32): f32 {
  return x < bound ? bound : x;
}

/** The smaller of two; `x` when either is NaN. */
export function atMost(x: f32, bound: f32): f32 {
  return bound < x ? bound : x;
}

/** 2^y, y in [−125, 127]. */
export function exp2(y: f32): f32 {
  const shifted = y + SHIFTER;
  return compose(y - (shifted - SHIFTER), shifted);
}

/** e^x, x clamped to [−86, 88.7228]. */
export function exp(x: f32): f32 {
  const clamped = atMost(atLeast(x, -86), 88.7228);
  const shifted = clamped * <f32>1.44269504089 + SHIFTER;
  const n = shifted - SHIFTER;
  const rest = clamped - n * <f32>0.693359375 - n * <f32>-0.000212194440055;
  return compose(rest * <f32>1.44269504089, shifted);
}

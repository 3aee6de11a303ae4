// The largest of one row.

/** The largest of `count` floats, NaN ignored; at least −3.4e38, so that a row of −Inf has a finite one. */
export function rowMaximum(x: i32, count: i32): f32 {
  let largest: f32 = -f32.MAX_VALUE;
  for (let i = 0; i < count; i++) {
    const value = load<f32>(x + (i << 2));
    largest = largest < value ? value : largest;
  }
  return largest;
}

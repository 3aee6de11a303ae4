/** The first name that stands behind an equal one; undefined where all differ. */
export function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) < index);
}

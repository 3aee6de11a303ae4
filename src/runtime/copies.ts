/** Copies of what callers give, made before a call waits: they may use theirs for the next one meanwhile. */

/** A list's items, each read once, a hole as undefined; what is no list stays as it is, and is refused later. */
export function copyList<T>(given: T): T {
  return Array.isArray(given) ? ([...given] as T) : given;
}

/** Copies of what callers give, made before a call waits: they may use theirs for the next one meanwhile. */

/** A list's items, each read once, a hole as undefined; what is no list stays as it is, and is refused later. */
export function copyList<T>(given: T): T {
  return Array.isArray(given) ? ([...given] as T) : given;
}

/** With the lists in them. */
export function copyOptions<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, copyList(value)])) as T;
}

type Settled<R> = { readonly value: R } | { readonly error: unknown };

/**
 * Works on items side by side and gives the results in the order of the items. At most `limit` items are taken from the
 * source and not yet handed on, whether they are being worked on or wait for an earlier one: so a slow reader of the
 * results holds back the source. An error, of the work or of the source, comes out in its place, after the results of all
 * items before it.
 */
export async function* ordered<T, R>(source: AsyncIterable<T>, limit: number, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const items = source[Symbol.asyncIterator]();
  const queue: Promise<Settled<R>>[] = [];
  let coming: Promise<Settled<IteratorResult<T>>> | null = null;
  let ended = false;
  try {
    for (;;) {
      if (!ended && queue.length < limit) coming ??= settled(items.next());
      const head = queue[0];
      if (head === undefined && coming === null) return;
      // Whichever is first: the next item to start on, or the result that is due.
      const first = await Promise.race([...(head === undefined ? [] : [head]), ...(coming === null ? [] : [coming.then((): null => null)])]);
      if (first !== null) {
        queue.shift();
        if ("error" in first) throw first.error;
        yield first.value;
        continue;
      }
      const next = await coming!;
      coming = null;
      if ("error" in next) {
        ended = true;
        queue.push(Promise.resolve(next));
      } else if (next.value.done === true) {
        ended = true;
      } else {
        queue.push(settled(work(next.value.value)));
      }
    }
  } finally {
    // A source that waits for data would keep its return() waiting too; it ends with the signal it was given.
    const closing = items.return?.();
    if (coming === null) await closing;
    else closing?.catch(() => undefined);
  }
}

async function settled<V>(promise: Promise<V>): Promise<Settled<V>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

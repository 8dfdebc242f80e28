/** What comes from either, as it comes. Ends when the first of them ends, and ends the other; fails as either fails. */
export function merged<Value>(
  ...sources: readonly AsyncIterableIterator<Value>[]
): AsyncIterableIterator<Value> {
  /** Of each source what it was asked for last and has not been taken. */
  const asked = new Map<
    AsyncIterableIterator<Value>,
    Promise<{ from: number; result: IteratorResult<Value> }>
  >();
  let ended = false;
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    ended = true;
    await Promise.all(sources.map((source) => source.return?.()));
    return { done: true, value: undefined };
  };
  const values: AsyncIterableIterator<Value> = {
    async next() {
      if (ended) return { done: true, value: undefined };
      sources.forEach((source, from) => {
        if (!asked.has(source))
          asked.set(
            source,
            source.next().then((result) => ({ from, result })),
          );
      });
      const { from, result } = await Promise.race(asked.values());
      asked.delete(sources[from]!);
      return result.done ? end() : result;
    },
    return: end,
    [Symbol.asyncIterator]: () => values,
  };
  return values;
}

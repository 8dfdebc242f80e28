/**
 * One read for everything that is asked for before it is sent: a storm of devices that come back together costs a bulk
 * read a hundred, not a request each. A key that is asked for twice is read once.
 *
 * @param read answers in the order of its keys
 */
export function createTogether<V>(
  read: (keys: readonly string[]) => Promise<readonly V[]>,
): (key: string) => Promise<V> {
  interface Batch {
    positions: Map<string, number>;
    answers: Promise<readonly V[]>;
  }
  let filling: Batch | undefined;

  function begin(): Batch {
    const positions = new Map<string, number>();
    const answers = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      filling = undefined;
      return read([...positions.keys()]);
    });
    return { positions, answers };
  }

  return async (key) => {
    const { positions, answers } = (filling ??= begin());
    let position = positions.get(key);
    if (position === undefined) positions.set(key, (position = positions.size));
    return (await answers)[position]!;
  };
}

/**
 * Starts the work on items ahead of their turn and yields the results in order. At most `most` (a sum of weights) of it waits or is
 * under way, and always the next item.
 */
export async function* lookAhead<T, R>(
  items: readonly T[],
  { weigh, most }: { weigh: (item: T) => number; most: number },
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const started: { result: Promise<R>; weight: number }[] = [];
  let weight = 0;
  let next = 0;
  const start = (item: T): void => {
    const result = work(item);
    result.catch(() => {}); // reported when it is its turn
    started.push({ result, weight: weigh(item) });
    weight += weigh(item);
    next += 1;
  };
  try {
    for (;;) {
      for (let item = items[next]; next < items.length && item !== undefined; item = items[next]) {
        if (started.length > 0 && weight + weigh(item) > most) break;
        start(item);
      }
      const first = started.shift();
      if (first === undefined) return;
      yield await first.result;
      weight -= first.weight;
    }
  } finally {
    await Promise.allSettled(started.map(({ result }) => result));
  }
}

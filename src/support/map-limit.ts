import { setImmediate } from 'node:timers/promises';

/**
 * Maps with at most `limit` concurrent calls, keeping the order. After a failure no call starts; the first failure rejects
 * once the running calls have ended, because the caller removes what they write to.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  worker: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  const failures: unknown[] = [];
  let next = 0;
  const task = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await worker(items[index] as T, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, limit), items.length) }, task));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** After so much time (ms) in one go, the rest of the process gets its turn. */
const LONGEST_TURN = 20;

/**
 * Works through items one after the other, for synchronous work on many small files: with promises, each takes several trips through
 * Node's thread pool, and twice the processor time. Lets the rest of the process have its turn in between.
 */
export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void | Promise<void>): Promise<void> {
  let started = performance.now();
  for (const item of items) {
    await work(item);
    if (performance.now() - started < LONGEST_TURN) continue;
    await setImmediate();
    started = performance.now();
  }
}

/** Creates a gate that runs at most `limit` calls at a time, in order. */
export function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = Math.max(1, limit);
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const wake = waiting.shift();
      if (wake) wake();
      else free++;
    }
  };
}

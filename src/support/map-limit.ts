import { setImmediate } from 'node:timers/promises';

/** After so much time (ms) in one go, the rest of the process gets its turn. */
const LONGEST_TURN = 5;

/**
 * Maps with at most `limit` concurrent calls, keeping the order. After a failure no call starts; the first failure rejects
 * once the running calls have ended, because the caller removes what they write to. Calls that only compute leave turns to the
 * rest of the process: answers of services arrive meanwhile, and the next page of a list is requested.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  worker: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  const failures: unknown[] = [];
  let next = 0;
  const turn = createTurn();
  const task = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await worker(items[index] as T, index);
      } catch (error) {
        failures.push(error);
      }
      if (next < items.length && turn.isOver()) await turn.end();
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, limit), items.length) }, task));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** Measures how long one goes on without giving the rest of the process its turn. */
function createTurn(): { isOver(): boolean; end(): Promise<void> } {
  let started = performance.now();
  return {
    isOver: () => performance.now() - started >= LONGEST_TURN,
    end: async () => {
      await setImmediate();
      started = performance.now();
    },
  };
}

/**
 * Works through items one after the other, for synchronous work on many small files: with promises, each takes several trips through
 * Node's thread pool, and twice the processor time. Lets the rest of the process have its turn in between.
 */
export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void | Promise<void>): Promise<void> {
  const turn = createTurn();
  for (const item of items) {
    await work(item);
    if (turn.isOver()) await turn.end();
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

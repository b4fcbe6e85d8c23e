import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** Waits. Rejects with the signal's reason when aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Lets input and answers of services in, between steps that only compute. */
export async function takeTurns(): Promise<void> {
  await nextTurn();
}

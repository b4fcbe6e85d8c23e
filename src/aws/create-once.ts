import { pause } from '../support/pause.ts';
import { isAwsError, mayHaveArrived } from './service-errors.ts';

/** Requests that may have arrived without effect, after which the error counts. */
const ATTEMPTS = 4;
/** Reads after each of them, and the pause between two (ms): a service that lost its answer may still be at work. */
const READS = 3;
const PAUSE = 500;

/**
 * Creates something that each request would create again. After a failure that leaves open whether the request arrived, `find`
 * looks for what it created, and only if there is nothing, the request is sent again. `send`: with `sendOnce` of the service.
 */
export async function createOnce<T>(
  { send, find }: { send: () => Promise<T>; find: () => Promise<T | undefined> },
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (!mayHaveArrived(error)) throw error;
      const created = await lookFor(find, { signal, error });
      if (created !== undefined) return created;
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** Throws `error` if the service cannot be asked: then nobody knows whether to repeat the request. */
async function lookFor<T>(
  find: () => Promise<T | undefined>,
  { signal, error }: { signal: AbortSignal | undefined; error: unknown },
): Promise<T | undefined> {
  for (let read = 0; read < READS; read++) {
    if (read > 0) await pause(PAUSE, signal);
    try {
      const created = await find();
      if (created !== undefined) return created;
    } catch (failure) {
      signal?.throwIfAborted();
      throw isAwsError(failure) ? error : failure;
    }
  }
  return undefined;
}

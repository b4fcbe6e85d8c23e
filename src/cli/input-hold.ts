import type { Readable } from 'node:stream';

// pipes and terminals have both methods; a file has neither, and ends by itself
type Handle = Partial<{ ref(): unknown; unref(): unknown }>;

/** From now on the process waits for what comes from the input. */
export function holdInput(input: Readable): void {
  (input as Handle).ref?.();
}

/**
 * The process may end although the input is open. `pause` alone does not allow that: a stream that is paused while it hands
 * out data goes on reading ahead, and the writer of a pipe may keep it open for ever.
 */
export function releaseInput(input: Readable): void {
  input.pause();
  (input as Handle).unref?.();
}

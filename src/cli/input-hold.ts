import type { Readable } from 'node:stream';

// pipes and terminals have both methods; a file has neither and does not keep the process alive
type Handle = Partial<{ ref(): unknown; unref(): unknown }>;

/** Keeps the process alive until the input is released. */
export function holdInput(input: Readable): void {
  (input as Handle).ref?.();
}

/**
 * Lets the process end while the input is open. `pause` alone is not enough: a stream paused while it emits data keeps
 * reading ahead, and the writer may never close the pipe.
 */
export function releaseInput(input: Readable): void {
  input.pause();
  (input as Handle).unref?.();
}

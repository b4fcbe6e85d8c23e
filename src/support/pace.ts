import { pause } from './pause.ts';

/**
 * Creates a rate limit: at most `perSecond` calls per second on average, the first `burst` immediately, the others in order.
 * Rejects with the signal's reason.
 */
export function createPace(
  { perSecond, burst }: { perSecond: number; burst: number },
  signal: AbortSignal,
): () => Promise<void> {
  const interval = 1_000 / perSecond;
  /** Time at which the bucket is full again (ms). */
  let full = 0;
  return async () => {
    const now = performance.now();
    full = Math.max(full, now) + interval;
    const wait = full - now - burst * interval;
    if (wait > 0) await pause(wait, signal);
  };
}

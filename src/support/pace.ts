import { pause } from './pause.ts';

/**
 * Lets calls begin at most `perSecond` times a second in the long run, the first `burst` of them at once; the others wait
 * their turn in order. Rejects with the signal's reason.
 */
export function createPace(
  { perSecond, burst }: { perSecond: number; burst: number },
  signal: AbortSignal,
): () => Promise<void> {
  const interval = 1_000 / perSecond;
  /** When the bucket is full again (ms). */
  let full = 0;
  return async () => {
    const now = performance.now();
    full = Math.max(full, now) + interval;
    const wait = full - now - burst * interval;
    if (wait > 0) await pause(wait, signal);
  };
}

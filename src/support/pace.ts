import { pause } from './pause.ts';

/** At most `perSecond` calls per second on average, the first `burst` immediately. */
export interface PaceLimit {
  perSecond: number;
  burst: number;
}

/** Creates a rate limit; calls beyond it wait for their turn in order. Rejects with the signal's reason. */
export function createPace(limit: PaceLimit, signal: AbortSignal): () => Promise<void> {
  const nextWait = createWaits(limit);
  return async () => {
    const wait = nextWait(performance.now());
    if (wait > 0) await pause(wait, signal);
  };
}

/** How long each call has to wait (ms); it is given the time of the call, which never goes back. */
export function createWaits({ perSecond, burst }: PaceLimit): (now: number) => number {
  const interval = 1_000 / perSecond;
  /** When the bucket is full again (ms). */
  let full = 0;
  return (now) => {
    full = Math.max(full, now) + interval;
    return Math.max(0, full - now - burst * interval);
  };
}

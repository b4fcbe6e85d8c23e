import { createQuotaBucket, type QuotaBucket } from './quota-bucket.ts';
import type { Quota } from './quotas.ts';

/** The time that a pacer goes by (ms). */
export interface PacerClock {
  now(): number;
  /** Calls back once after so long; the result cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** Makes the calls of a run wait until the quotas of the account admit them. */
export interface Pacer {
  /**
   * Resolves when the call may start. Calls of the same quotas start in order, but a call that was refused (`again`) starts
   * before the others. Rejects with the signal's reason.
   */
  admit(quotas: readonly Quota[], options?: { signal?: AbortSignal | undefined; again?: boolean }): Promise<void>;
  /** The service refused the call: calls of its slowest quota, the first one, slow down for a while. */
  refuse(quotas: readonly Quota[]): void;
}

/** A call that must wait longer than this is announced (ms). */
const LONG_WAIT = 3_000;
/** A shorter wait is a rounding error (ms). */
const ROUNDING = 0.001;

interface WaitingCall {
  quotas: readonly Quota[];
  start: () => void;
}

/** The clock of the process. */
export const SYSTEM_CLOCK: PacerClock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** `onLongWait` is called with a quota when the first of its calls must wait for long, and again after none had to wait. */
export function createPacer(clock: PacerClock, onLongWait: (quota: Quota) => void): Pacer {
  const buckets = new Map<Quota, QuotaBucket>();
  const announced = new Set<Quota>();
  let waiting: WaitingCall[] = [];
  let cancelTimer: (() => void) | undefined;

  const bucketOf = (quota: Quota): QuotaBucket => {
    const bucket = buckets.get(quota) ?? createQuotaBucket(quota, clock.now());
    buckets.set(quota, bucket);
    return bucket;
  };
  const freeAt = ({ quotas }: WaitingCall, now: number): number =>
    Math.max(now, ...quotas.map((quota) => bucketOf(quota).freeAt(now)));

  /** Starts what may start now. A call takes from its quotas only when it starts, so that it holds up no faster ones. */
  const startReady = (): void => {
    cancelTimer?.();
    const now = clock.now();
    let next = Infinity;
    waiting = waiting.filter((call) => {
      const at = freeAt(call, now);
      if (at > now + ROUNDING) {
        next = Math.min(next, at);
        return true;
      }
      for (const quota of call.quotas) bucketOf(quota).take(now);
      call.start();
      return false;
    });
    for (const quota of announced) if (!isAwaited(quota)) announced.delete(quota);
    cancelTimer = next === Infinity ? undefined : clock.after(Math.ceil(next - now), startReady);
  };

  const isAwaited = (quota: Quota): boolean => waiting.some(({ quotas }) => quotas.includes(quota));

  const announceLongWaits = (quotas: readonly Quota[]): void => {
    const now = clock.now();
    for (const quota of quotas) {
      const ahead = waiting.filter((call) => call.quotas.includes(quota)).length - 1;
      if (announced.has(quota) || bucketOf(quota).freeAt(now, ahead) <= now + LONG_WAIT) continue;
      announced.add(quota);
      onLongWait(quota);
      return;
    }
  };

  return {
    admit: (quotas, { signal, again = false } = {}) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const giveUp = (): void => {
          waiting = waiting.filter((other) => other !== call);
          startReady();
          reject(signal?.reason as Error);
        };
        const start = (): void => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        };
        const call: WaitingCall = { quotas, start };
        signal?.addEventListener('abort', giveUp, { once: true });
        if (again) waiting.unshift(call);
        else waiting.push(call);
        startReady();
        if (waiting.includes(call)) announceLongWaits(quotas);
      }),
    refuse: ([slowest]) => {
      if (slowest === undefined) return;
      bucketOf(slowest).refuse(clock.now());
      startReady();
    },
  };
}

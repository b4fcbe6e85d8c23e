import type { Quota } from './quotas.ts';

/** Share of the documented rate that a run uses: requests arrive at uneven intervals, and others use the account too. */
const USED_SHARE = 0.93;
/** What is left of the rate after a refusal, and the least that is left after many. */
const AFTER_REFUSAL = 0.5;
const LEAST_SHARE = 1 / 8;
/** Share of the rate that comes back with each beat. */
const RECOVERY = 0.05;

/** What is left of a quota, as far as a run knows. All times are in milliseconds. */
export interface QuotaBucket {
  /** When the next call may start, if `ahead` others start before it. */
  freeAt(now: number, ahead?: number): number;
  /** A call starts. */
  take(now: number): void;
  /** The service refused a call: another user emptied the bucket. Refusals within a beat count as one. */
  refuse(now: number): void;
}

/** Creates a full bucket. Pure but for its own state. */
export function createQuotaBucket({ perSecond, burst }: Quota, start: number): QuotaBucket {
  const beat = Math.max(1_000, 1_000 / perSecond);
  let level = burst;
  let share = 1;
  let time = start;
  let refusedAt = -Infinity;
  const rate = (): number => (perSecond * USED_SHARE * share) / 1_000;
  const advance = (now: number): void => {
    level = Math.min(burst, level + (now - time) * rate());
    share = Math.min(1, share + ((now - time) / beat) * RECOVERY);
    time = now;
  };
  return {
    freeAt: (now, ahead = 0) => {
      advance(now);
      const missing = 1 + ahead - level;
      return missing <= 0 ? now : now + missing / rate();
    },
    take: (now) => {
      advance(now);
      level -= 1;
    },
    refuse: (now) => {
      advance(now);
      level = Math.min(level, 0);
      if (now < refusedAt + beat) return;
      refusedAt = now;
      share = Math.max(LEAST_SHARE, share * AFTER_REFUSAL);
    },
  };
}

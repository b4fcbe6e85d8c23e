import type { Shard } from './cache-task.ts';

/** A build to share out. */
export interface Candidate {
  /** Equal for this build in all checkouts. */
  key: string;
}

/**
 * Returns the builds of a share. It depends on the keys alone, not on what a cache has at this moment: shares that run at the same
 * time never have the same build, and together have all.
 */
export function selectShare<T extends Candidate>(candidates: readonly T[], { index, count }: Shard): T[] {
  const keys = [...new Set(candidates.map(({ key }) => key))].sort();
  const mine = new Set(keys.filter((_key, at) => at % count === index - 1));
  return candidates.filter(({ key }) => mine.has(key));
}

/** Sorts by duration, the longest first: a long build that begins last would keep all others waiting. Unknown ones come first. */
export function orderSlowestFirst<T extends { durationMs: number | undefined }>(builds: readonly T[]): T[] {
  return [...builds].sort((a, b) => compare(b.durationMs ?? Infinity, a.durationMs ?? Infinity));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

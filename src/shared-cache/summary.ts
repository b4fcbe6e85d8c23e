import { formatBytes, formatDuration } from '../console/format.ts';
import type { WrittenBuilds } from './write-builds.ts';

/** What the shared cache did for a run. */
export interface CacheSummary {
  /** Builds that came from it. */
  hits: number;
  /** Builds that it did not have. */
  misses: number;
  fetchedBytes: number;
  /** The time that other machines needed for what was taken in this run (ms). */
  savedMs: number;
}

/** Describes a run's use of the cache in a sentence; undefined if there was none. */
export function describeSummary(
  { hits, misses, fetchedBytes, savedMs }: CacheSummary,
  added: Pick<WrittenBuilds, 'written' | 'writtenBytes'> | undefined,
): string | undefined {
  const all = hits + misses;
  if (all === 0 && added === undefined) return undefined;
  const rate = all === 0 ? '' : ` (${Math.round((100 * hits) / all)} %)`;
  return [
    `Build cache: ${hits} of ${all} builds taken${rate}`,
    ...(fetchedBytes === 0 ? [] : [`${formatBytes(fetchedBytes)} fetched`]),
    ...(savedMs === 0 ? [] : [`${formatDuration(savedMs)} of building saved`]),
    ...(added === undefined ? [] : [`${added.written} written (${formatBytes(added.writtenBytes)})`]),
  ].join(', ');
}

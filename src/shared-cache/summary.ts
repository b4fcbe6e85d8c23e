import { formatBytes, formatDuration } from '../console/format.ts';

/** What the shared cache did for a run. */
export interface CacheSummary {
  /** Builds that came from it, in this run or an earlier one. */
  hits: number;
  /** Those of this run. */
  taken: number;
  /** Builds that it did not have. */
  misses: number;
  /** Sets of packages of this run that were taken without the code that uses them. */
  packagesTaken: number;
  fetchedBytes: number;
  /** The time that other machines needed for what was taken in this run (ms). */
  savedMs: number;
}

/** What was written. */
export interface WrittenBuilds {
  /** Builds that were added. */
  written: number;
  /** Sets of packages that were added. */
  packagesWritten: number;
  writtenBytes: number;
  /** Builds that another machine had added meanwhile. */
  present: number;
  /** Builds that could not be added. */
  failed: number;
  /** Why builds were not shared, by their functions and layers. */
  notShared: Readonly<Record<string, string>>;
}

/** Describes a run's use of the cache in a sentence; undefined if there was nothing new. */
export function describeSummary(summary: CacheSummary, added: Added | undefined): string | undefined {
  const { hits, taken, misses, packagesTaken } = summary;
  const all = hits + misses;
  if (taken + misses + packagesTaken === 0 && added === undefined) return undefined;
  const rate = all === 0 ? '' : ` (${Math.round((100 * hits) / all)} %)`;
  return [
    `Build cache: ${hits} of ${all} builds taken${rate}`,
    ...describeTaken(summary),
    ...describeAdded(added),
  ].join(', ');
}

/** Describes a cache fill. */
export function describeFill(
  summary: CacheSummary,
  added: Added,
  [present, all]: readonly [present: number, all: number],
): string {
  const there = `Build cache: ${present} of ${all} builds were there`;
  return [there, ...describeTaken(summary), ...describeAdded(added)].join(', ');
}

type Added = Pick<WrittenBuilds, 'written' | 'packagesWritten' | 'writtenBytes'>;

function describeTaken({ packagesTaken, fetchedBytes, savedMs }: CacheSummary): string[] {
  return [
    ...(packagesTaken === 0 ? [] : [`${countOf(packagesTaken, 'package set')} taken`]),
    ...(fetchedBytes === 0 ? [] : [`${formatBytes(fetchedBytes)} fetched`]),
    ...(savedMs === 0 ? [] : [`${formatDuration(savedMs)} of building saved`]),
  ];
}

function describeAdded(added: Added | undefined): string[] {
  if (added === undefined) return [];
  const { written, packagesWritten, writtenBytes } = added;
  const packages = packagesWritten === 0 ? '' : ` and ${countOf(packagesWritten, 'package set')}`;
  return [`${countOf(written, 'build')}${packages} written (${formatBytes(writtenBytes)})`];
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

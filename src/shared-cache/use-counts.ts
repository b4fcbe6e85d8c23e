import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { count, fields, parseJson, text } from '../support/shapes.ts';
import type { CacheSummary } from './summary.ts';

/** What shared caches did for this project, over all its runs. */
export interface UseCounts extends CacheSummary {
  runs: number;
  /** The first run. ISO 8601. */
  since: string;
}

const NUMBERS = ['runs', 'hits', 'taken', 'misses', 'packagesTaken', 'fetchedBytes', 'savedMs'] as const;

/** Reads the counts from the folder of what this project learned of shared caches. */
export async function readUseCounts(folder: string): Promise<UseCounts | undefined> {
  const counts = fields(parseJson((await readTextIfExists(path.join(folder, 'uses.json'))) ?? ''));
  const since = text(counts?.['since']);
  if (counts === undefined || since === undefined) return undefined;
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, count(counts[name]) ?? 0]));
  return { ...(numbers as Record<(typeof NUMBERS)[number], number>), since };
}

/** Adds a run. Ignores a read-only or full disk, and counts that cannot be read: no run fails for them. */
export async function addToUseCounts(folder: string, run: CacheSummary): Promise<void> {
  if (run.hits + run.misses + run.packagesTaken === 0) return;
  const before = await readUseCounts(folder).catch(() => undefined);
  const one: Record<string, number> = { ...run, runs: 1 };
  const sums = Object.fromEntries(NUMBERS.map((name) => [name, (before?.[name] ?? 0) + Math.round(one[name] ?? 0)]));
  const since = before?.since ?? new Date().toISOString();
  await writeFileAtomic(path.join(folder, 'uses.json'), JSON.stringify({ ...sums, since })).catch(() => {});
}

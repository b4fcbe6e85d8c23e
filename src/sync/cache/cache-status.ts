import * as path from 'node:path';
import { buildStoreDir } from '../../builder/build-options.ts';
import { listStore } from '../../builder/cache/remove-unused.ts';
import type { StoreEntry } from '../../builder/cache/remove-unused.ts';
import { formatBytes, formatDuration, formatTable } from '../../console/format.ts';
import { note } from '../../console/reporter.ts';
import { errorMessage } from '../../errors.ts';
import { scopeStatus } from '../../shared-cache/scopes/scope-status.ts';
import type { ScopeStatus } from '../../shared-cache/scopes/scope-status.ts';
import { readUseCounts } from '../../shared-cache/use-counts.ts';
import type { UseCounts } from '../../shared-cache/use-counts.ts';
import { memoryDir, openScopes } from '../open-shared-builds.ts';
import type { SyncReport, SyncRun } from '../sync-run.ts';
import { formatAge } from './format-age.ts';

/** Entries of the project's own cache. */
interface LocalStatus {
  entries: number;
  bytes: number;
  /** When the one that was not used for longest, and the one that was used last, were used (ms since the epoch). */
  oldest: number | undefined;
  newest: number | undefined;
}

/** Prints size, age and hits of the project's own cache and the shared ones. */
export async function reportCacheStatus(run: SyncRun, print: (text: string) => void): Promise<SyncReport> {
  const { options, environment } = run;
  const { reporter, signal } = environment;
  const storeDir = buildStoreDir(options.projectDir);
  const entries = await listStore(storeDir);
  const local = {
    folder: storeDir,
    builds: summarize(entries.filter(({ kind }) => kind === 'artifacts')),
    packages: summarize(entries.filter(({ kind }) => kind === 'deps')),
  };
  const shared: (ScopeStatus | { name: string; error: string })[] = [];
  for (const scope of openScopes(run)) {
    try {
      shared.push(await scopeStatus(scope, signal));
    } catch (error) {
      signal.throwIfAborted();
      shared.push({ name: scope.name, error: errorMessage(error) });
    }
  }
  const uses = await readUseCounts(memoryDir(storeDir));
  const own = path.relative(options.projectDir, storeDir);
  const table = tableOf([
    { name: `${own}: builds`, ...local.builds },
    { name: `${own}: packages`, ...local.packages },
    ...shared.flatMap((one) => ('error' in one ? [] : [one])),
  ]);
  print(`${[table, ...(uses === undefined ? [] : [describeUses(uses)])].join('\n\n')}\n`);
  const failed = shared.flatMap((one) => ('error' in one ? [one] : []));
  for (const { name, error } of failed) note(reporter, 'error', `Build cache ${name}: ${error}`);
  return { document: { local, shared, uses }, exitCode: failed.length > 0 ? 1 : 0 };
}

function summarize(entries: readonly StoreEntry[]): LocalStatus {
  const times = entries.map(({ usedAt }) => usedAt).sort((a, b) => a - b);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  return { entries: entries.length, bytes, oldest: times[0], newest: times.at(-1) };
}

function tableOf(rows: readonly (LocalStatus & { name: string })[]): string {
  const now = Date.now();
  const age = (time: number | undefined): string => (time === undefined ? '' : formatAge(now - time));
  return formatTable(
    ['Cache', 'Entries', 'Size', 'Oldest', 'Newest'],
    rows.map(({ name, entries, bytes, oldest, newest }) => [
      name,
      String(entries),
      formatBytes(bytes),
      age(oldest),
      age(newest),
    ]),
  );
}

function describeUses({ runs, hits, misses, packagesTaken, savedMs, fetchedBytes, since }: UseCounts): string {
  const all = hits + misses;
  const rate = all === 0 ? '' : ` (${Math.round((100 * hits) / all)} %)`;
  const times = runs === 1 ? '1 run' : `${runs} runs`;
  return [
    `Shared caches, ${times} of this project since ${since.slice(0, 10)}: ${hits} of ${all} builds taken${rate}`,
    `${packagesTaken} package sets taken`,
    `${formatBytes(fetchedBytes)} fetched`,
    `${formatDuration(savedMs)} of building saved`,
  ].join(', ');
}

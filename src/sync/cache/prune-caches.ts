import { buildStoreDir } from '../../builder/build-options.ts';
import { pruneStore } from '../../builder/cache/remove-unused.ts';
import { formatBytes } from '../../console/format.ts';
import { note } from '../../console/reporter.ts';
import { UsageError, UserError, errorMessage } from '../../errors.ts';
import { pruneRefused } from '../../shared-cache/prune-refused.ts';
import { pruneScope } from '../../shared-cache/scopes/prune-scope.ts';
import type { PrunedScope } from '../../shared-cache/scopes/prune-scope.ts';
import { openScopes } from '../open-shared-builds.ts';
import type { SyncReport, SyncRun } from '../sync-run.ts';

/**
 * Removes what was not used for so long (ms) from the project's own cache, and with `--build-cache-write` from the first shared one;
 * or, from that alone, what is refused here.
 */
export async function pruneCaches(run: SyncRun, what: 'refused' | number): Promise<SyncReport> {
  return what === 'refused' ? pruneWhatIsRefused(run) : pruneByAge(run, what);
}

async function pruneWhatIsRefused(run: SyncRun): Promise<SyncReport> {
  const { options, environment } = run;
  const [scope] = openScopes(run);
  if (scope === undefined || !options.buildCacheWrite)
    throw new UsageError('sam-sync cache prune --refused needs --build-cache and --build-cache-write', {
      hint: 'For example: sam-sync cache prune --refused --build-cache s3://my-builds/app --build-cache-write',
    });
  const secret = environment.env['SAM_BUILD_CACHE_KEY'] || undefined;
  const how = { dryRun: options.dryRun, signal: environment.signal, secret };
  const shared = await reportPruned(run, ' refused', () => pruneRefused(scope, how));
  return { document: { dryRun: options.dryRun, shared }, exitCode: 0 };
}

async function pruneByAge(run: SyncRun, olderThan: number): Promise<SyncReport> {
  const { options, environment } = run;
  const { reporter, signal } = environment;
  const { dryRun } = options;
  const before = Date.now() - olderThan;
  const removed = await pruneStore(buildStoreDir(options.projectDir), { before, dryRun });
  const local = { entries: removed.length, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
  note(reporter, 'success', `${verbOf(run)} ${local.entries} entries of this project (${formatBytes(local.bytes)})`);
  const [scope] = openScopes(run);
  if (scope === undefined) return { document: { dryRun, local }, exitCode: 0 };
  if (!options.buildCacheWrite) {
    note(reporter, 'info', `${scope.name} stays as it is: only --build-cache-write prunes it`);
    return { document: { dryRun, local }, exitCode: 0 };
  }
  const shared = await reportPruned(run, '', () => pruneScope(scope, { before, dryRun, signal }));
  return { document: { dryRun, local, shared }, exitCode: 0 };
}

async function reportPruned(run: SyncRun, kind: string, prune: () => Promise<PrunedScope>): Promise<PrunedScope> {
  const { reporter, signal } = run.environment;
  try {
    const pruned = await prune();
    const { name, entries, zips, bytes } = pruned;
    const text = `${verbOf(run)} ${entries}${kind} entries and ${zips}${kind} zips of ${name} (${formatBytes(bytes)})`;
    note(reporter, 'success', text);
    return pruned;
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(`Build cache ${run.options.buildCache[0]}: ${errorMessage(error)}`, { cause: error });
  }
}

function verbOf({ options }: SyncRun): string {
  return options.dryRun ? 'Would remove' : 'Removed';
}

import { buildStoreDir } from '../../builder/build-options.ts';
import { pruneStore } from '../../builder/cache/remove-unused.ts';
import { formatBytes } from '../../console/format.ts';
import { note } from '../../console/reporter.ts';
import { UserError, errorMessage } from '../../errors.ts';
import { pruneScope } from '../../shared-cache/prune-scope.ts';
import { openScopes } from '../open-shared-builds.ts';
import type { SyncReport, SyncRun } from '../sync-run.ts';

/** Removes what was not used for `olderThan` (ms) from the project's own cache, and with `--build-cache-write` from the first shared one. */
export async function pruneCaches(run: SyncRun, olderThan: number): Promise<SyncReport> {
  const { options, environment } = run;
  const { reporter, signal } = environment;
  const { dryRun } = options;
  const before = Date.now() - olderThan;
  const would = dryRun ? 'Would remove' : 'Removed';
  const removed = await pruneStore(buildStoreDir(options.projectDir), { before, dryRun });
  const local = { entries: removed.length, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
  note(reporter, 'success', `${would} ${local.entries} entries of this project (${formatBytes(local.bytes)})`);
  const [scope] = openScopes(run);
  if (scope === undefined) return { document: { dryRun, local }, exitCode: 0 };
  if (!options.buildCacheWrite) {
    note(reporter, 'info', `${scope.name} stays as it is: only --build-cache-write prunes it`);
    return { document: { dryRun, local }, exitCode: 0 };
  }
  const shared = await pruneScope(scope, { before, dryRun, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new UserError(`Build cache ${scope.name}: ${errorMessage(error)}`, { cause: error });
  });
  const { entries, zips, bytes } = shared;
  note(reporter, 'success', `${would} ${entries} entries and ${zips} zips of ${scope.name} (${formatBytes(bytes)})`);
  return { document: { dryRun, local, shared }, exitCode: 0 };
}

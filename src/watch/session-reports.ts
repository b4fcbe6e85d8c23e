import * as path from 'node:path';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { StackOffer } from '../sync/endpoints.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import type { ApplicationSnapshot } from './application-snapshot.ts';
import type { LoopEvent } from './loop/results.ts';

/** Files that one note names. */
const MOST_NAMES = 5;

const NO_OFFER: StackOffer = { outputs: [], endpoints: [] };

/** Reports what the loop does. */
export function reportLoopEvent(reporter: Reporter, event: LoopEvent): void {
  const toState = (ids: readonly string[], state: 'waiting' | 'building' | 'updating'): void => {
    for (const id of ids) reporter.report({ type: 'resource-state', id, state });
  };
  switch (event.type) {
    case 'queued':
      return toState(event.ids, 'waiting');
    case 'building':
    case 'updating':
      return toState(event.ids, event.type);
    case 'ended': {
      const { id, outcome, detail, failure, problems } = event.resource;
      // a deployment follows
      if (outcome === 'blocked') return toState([id], 'waiting');
      const { ms } = event;
      if (outcome === 'failed') return reporter.report({ type: 'resource-state', id, state: 'failed', ms, failure });
      const changed = outcome === 'synced';
      return reporter.report({ type: 'resource-state', id, state: 'in-sync', ms, changed, detail, problems });
    }
    case 'deploy-queued':
      return reporter.report({ type: 'stack-state', state: 'queued' });
    case 'deploy-started':
      return reporter.report({ type: 'stack-state', state: 'preparing' });
    case 'deploy-ended': {
      const { end, ms } = event;
      if (end.outcome === 'failed')
        return reporter.report({ type: 'stack-state', state: 'failed', ms, failure: end.failure });
      return reporter.report({ type: 'stack-state', state: 'in-sync', ms, changed: end.outcome === 'deployed' });
    }
  }
}

/** Reports resources and outputs if they differ from those of the snapshot before. */
export function reportReplaced(reporter: Reporter, before: ApplicationSnapshot, next: ApplicationSnapshot): void {
  const { stackName } = next.run.options;
  const ids = next.resources?.watched;
  if (ids && JSON.stringify(ids) !== JSON.stringify(before.resources?.watched))
    reporter.report({ type: 'watch-resources', stackName, ids });
  if (JSON.stringify(next.offer ?? NO_OFFER) !== JSON.stringify(before.offer ?? NO_OFFER)) reportOffer(reporter, next);
}

/** Reports what the stack offers as of the last deployment. */
export function reportOffer(reporter: Reporter, { run, offer }: ApplicationSnapshot): void {
  reporter.report({ type: 'outputs', stackName: run.options.stackName, ...(offer ?? NO_OFFER) });
}

/** Says what is set directly and not deployed; undefined: nothing is. */
export function describeAhead({
  ahead,
  definitionsAhead,
  revised,
  run,
}: Pick<ApplicationSnapshot, 'ahead' | 'definitionsAhead' | 'revised' | 'run'>): string | undefined {
  const code = [...revised].map((id) => [id, ['code']] as const);
  const all = new Map<string, readonly string[]>();
  // what is in a definition may be among the settings too
  for (const [id, names] of [...Object.entries(ahead), ...definitionsAhead, ...code])
    all.set(id, [...new Set([...(all.get(id) ?? []), ...names])]);
  if (all.size === 0) return undefined;
  const settings = [...all].map(([id, names]) => `${names.join(', ')} of ${id}`);
  return `Stack ${run.options.stackName} is behind: ${settings.join('; ')} took effect directly. The next sync deploys the change.`;
}

/** Warns that each build of the resources changes these source files. */
export function warnOfOwnWrites(run: SyncRun, ids: readonly string[], files: readonly string[]): void {
  const names = files.slice(0, MOST_NAMES).map((file) => projectPath(run, file));
  const more = files.length > names.length ? ` and ${files.length - names.length} more` : '';
  const [id = ''] = ids;
  note(
    run.environment.reporter,
    'warning',
    `Each build of ${ids.join(', ')} changes its own source: ${names.join(', ')}${more}. The next save builds it again; without one it is built again less and less often.`,
    `Exclude the files with --watch-exclude ${id}=PATTERN, or press r to sync at once.`,
  );
}

/** The path as seen from the project if the file is in it, else unchanged. */
export function projectPath({ options }: Pick<SyncRun, 'options'>, file: string): string {
  const relative = path.relative(options.projectDir, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

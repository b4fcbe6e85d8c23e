import { note } from '../../console/reporter.ts';
import type { Reporter } from '../../console/reporter.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { describeBehind } from './behind-versions.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { BehindValues } from './code-sync-plan.ts';
import type { CodeSyncOutcome, CodeSyncPlan } from './code-sync-plan.ts';

/**
 * Reports the count of each outcome, and what failed, why, and what to do about it. `isWhole`: it is part of a plain sync,
 * which deploys what a code sync has to skip.
 */
export function reportOutcome(
  reporter: Reporter,
  { results, failed, behind }: CodeSyncOutcome,
  { duration, isWhole }: { duration: string; isWhole: boolean },
): void {
  for (const { outcome, error, hint, id } of results) {
    // a resource that may have changed and cannot be updated has a hint
    const level = hint === undefined || isWhole ? 'debug' : 'warning';
    if (outcome === 'skipped') note(reporter, level, `${id} is skipped: ${error ?? ''}`, hint);
  }
  if (!isWhole) reportBehind(reporter, behind);
  const counts = (['synced', 'unchanged', 'failed', 'skipped'] as const)
    .map((outcome) => [outcome, results.filter((result) => result.outcome === outcome).length] as const)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`);
  const summary = counts.length === 0 ? 'nothing to sync' : counts.join(', ');
  note(reporter, failed ? 'info' : 'success', `Code sync: ${summary} (${duration}).`);
  // last: editors show the last line
  for (const { outcome, error, hint, id } of results)
    if (outcome === 'failed') note(reporter, 'error', error ?? `${id} failed`, hint);
}

/** Reports that a resource is in sync after a code sync. */
export function reportSynced(reporter: Reporter, { id, type }: { id: ResourceIdentifier; type: string }): void {
  const flow = kindOf(type)?.sync;
  if (flow !== undefined) reporter.report({ type: 'code-synced', id, flow });
}

/** Warns about values that a code sync leaves at an older version. */
function reportBehind(reporter: Reporter, behind: readonly BehindValues[]): void {
  for (const values of behind) {
    note(reporter, 'warning', describeBehind(values), 'Only a deployment updates them: sync without --code.');
  }
}

/** Reports what would be done with each resource. */
export function reportPlan(reporter: Reporter, { resources, behind }: CodeSyncPlan): void {
  for (const { id, action, changes, why, hint } of resources) {
    if (action === 'update') note(reporter, 'info', `${id} would be synced: ${changes.join(', ')}`);
    else if (action === 'none') note(reporter, 'debug', `${id} is up to date`);
    else if (action === 'skip') note(reporter, 'debug', `${id} would be skipped: ${why ?? ''}`);
    else note(reporter, 'warning', why ?? `${id} cannot be synced`, hint);
  }
  reportBehind(reporter, behind);
  const count = resources.filter(({ action }) => action === 'update').length;
  const what = count === 0 ? 'Nothing' : count === 1 ? '1 resource' : `${count} resources`;
  note(reporter, 'success', `${what} would be synced; nothing was changed.`);
}

/** The document of a code sync for `--output json`. */
export function documentOf({ results, failed, behind }: CodeSyncOutcome): object {
  const isChanged = results.some(({ outcome }) => outcome === 'synced');
  return {
    status: failed ? 'failed' : isChanged ? 'synced' : 'unchanged',
    resources: results.map(({ ms, ...result }) => ({ ...result, durationMs: Math.round(ms) })),
    ...(behind.length === 0 ? {} : { behind }),
  };
}

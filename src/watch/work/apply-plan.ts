import type { BuildResult } from '../../builder/build-result.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { NoSuchStackError } from '../../cloud/stack-resources.ts';
import { StackOvertakenError } from '../../deploy/require-latest.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { describeBehind } from '../../sync/code/behind-versions.ts';
import type { OpenPlan } from '../../sync/code/open-plan.ts';
import type { SyncRun } from '../../sync/sync-run.ts';
import type { ResourceResult } from '../../sync/code/sync-resource.ts';
import { withSynced } from '../application-snapshot.ts';
import type { SyncedResource, WatchFailure } from '../loop/results.ts';
import { projectPath } from '../session-reports.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { artifactOf } from './build-resources.ts';
import { endRefused, isRefusedChange } from './refused-settings.ts';
import type { RefusalMoment } from './refused-settings.ts';
import { describeFailure, transientKind } from './watch-failures.ts';

const FOLLOWS = 'A deployment updates them as soon as nothing has changed for a while.';
const PRESS_D = 'Only a deployment updates them: press d, or sync without --code.';

/** Applies a code sync plan and records what the services have after it. */
export async function applyPlan(
  application: WatchedApplication,
  open: OpenPlan,
  { built, moment }: { built: BuildResult; moment: RefusalMoment },
): Promise<SyncedResource[]> {
  const planned = new Set(open.plan.resources.filter(({ action }) => action === 'blocked').map(({ id }) => id));
  const { results, behind } = await open.apply();
  application.replace((now) => ({ ...now, ahead: { ...open.ahead() } }));
  const waiting = noteWaiting(application, results);
  const refused = new Map(
    results
      .filter((result) => isRefusedChange(application.snapshot, result))
      .map((result) => {
        const failure = failureOf(result, application.snapshot.run);
        return [result.id, endRefused(application, result.id, { failure, moment })] as const;
      }),
  );
  // what only a deployment changes is a failure if it did not
  const undeployed =
    moment === 'before-deployment' ? results.filter(({ errorKind }) => errorKind === 'deployment') : [];
  const blocked = new Set([...planned, ...waiting, ...undeployed.map(({ id }) => id)]);
  const { run } = application.snapshot;
  const { code } = run.options;
  for (const values of behind) application.notes.report('warning', describeBehind(values), code ? PRESS_D : FOLLOWS);
  const artifacts = results.map((one) => [one.id, isApplied(one) ? artifactOf(built, one.id) : undefined] as const);
  application.replace((now) => withSynced(now, new Map(artifacts)));
  // with --code a deployment does not follow
  const stale = new Set(code ? [] : behind.map(({ id }) => id));
  return results.map((result) => {
    const { id, outcome, detail, error } = result;
    const refusal = refused.get(id);
    if (refusal !== undefined) return refusal;
    if (blocked.has(id)) return { id, outcome: 'blocked', failure: failureOf(result, run) };
    if (outcome === 'failed') return { id, outcome, failure: failureOf(result, run) };
    if (outcome === 'skipped') application.notes.report('debug', `${id} is not synced: ${error ?? ''}`);
    const leavesStaleValues = stale.has(id);
    return { id, outcome: outcome === 'synced' ? 'synced' : 'unchanged', detail, leavesStaleValues };
  });
}

/** Reports what waits for the deployment, and why; gives its resources. */
function noteWaiting({ notes }: WatchedApplication, results: readonly ResourceResult[]): ResourceIdentifier[] {
  return results.flatMap(({ id, waiting = [] }) => {
    for (const reason of waiting) notes.report('info', `${id} waits for the deployment: ${reason}`);
    return waiting.length > 0 ? [id] : [];
  });
}

/** Plans and applies; if that fails as a whole, each resource has failed. */
export async function planAndApply(
  application: WatchedApplication,
  ids: readonly ResourceIdentifier[],
  { built, moment, plan }: { built: BuildResult; moment: RefusalMoment; plan(): Promise<OpenPlan> },
): Promise<SyncedResource[]> {
  const wanted = new Set(ids);
  try {
    const results = await applyPlan(application, await plan(), { built, moment });
    // functions that could not get a new layer version are reported too
    return results.filter(({ id, outcome }) => wanted.has(id) || outcome === 'failed');
  } catch (error) {
    application.snapshot.run.environment.signal.throwIfAborted();
    // the deployment has failed, not its resources
    if (error instanceof StackOvertakenError) throw error;
    const isDenied = isAwsError(error) && error.kind === 'access-denied';
    const failures = failAll(ids, error);
    // deleted while the watch runs: a deployment creates it again
    if (error instanceof NoSuchStackError) return failures.map((failure) => ({ ...failure, outcome: 'blocked' }));
    if (!isDenied || !ids.every((id) => application.snapshot.direct.has(id))) return failures;
    const failure = describeFailure(error);
    return ids.map((id) => endRefused(application, id, { failure, moment }));
  }
}

/** The result of each resource, if all failed for the same reason. */
export function failAll(ids: readonly ResourceIdentifier[], error: unknown): SyncedResource[] {
  const failure = describeFailure(error);
  return ids.map((id) => ({ id, outcome: 'failed', failure }));
}

/** Resources that only a deployment can change get this outcome if none follows. */
export function settleBlocked(results: readonly SyncedResource[], outcome: 'failed' | 'unchanged'): SyncedResource[] {
  return results.map((result) => {
    if (result.outcome !== 'blocked') return result;
    const { id, failure } = result;
    return outcome === 'failed' ? { id, outcome, failure } : { id, outcome };
  });
}

function isApplied({ outcome }: ResourceResult): boolean {
  return outcome === 'synced' || outcome === 'unchanged';
}

function failureOf(result: ResourceResult, run: SyncRun): WatchFailure {
  const { error = 'it could not be synced', hint, errorKind, waitsFor, file: path, line, column } = result;
  const file = path && projectPath(run, path);
  return { message: error, hint, file, line, column, transient: transientKind(errorKind), waitsFor };
}

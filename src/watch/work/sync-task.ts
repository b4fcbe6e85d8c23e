import type { BuildResult } from '../../builder/artifact.ts';
import type { BuildOutcome } from '../../builder/build.ts';
import { planBuild } from '../../builder/plan-build.ts';
import { StackOvertakenError } from '../../deploy/require-latest.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { describeBehind } from '../../sync/code/behind-versions.ts';
import type { CodeSyncRequest, OpenPlan } from '../../sync/code/open-code-sync.ts';
import type { ResourceResult } from '../../sync/code/sync-resource.ts';
import { buildOptionsOf } from '../../sync/build-options-of.ts';
import type { Application } from '../application.ts';
import { byItself, explainFailure, failedBuilds } from './watch-failures.ts';
import type { SyncedResource, SyncContext } from '../loop/watch-tasks.ts';

/**
 * Builds these resources and brings them through the service APIs, which are asked what they have while it builds. Until
 * both are known the cloud is left as it is.
 */
export async function syncResources(
  application: Application,
  ids: readonly ResourceIdentifier[],
  task: SyncContext,
): Promise<SyncedResource[]> {
  const { run } = application;
  const { root } = application.requireResources();
  const building = application.build(planBuild(root, buildOptionsOf(run), new Set(ids)), task.signal);
  const planning = planSync(application, { root, selection: { ids, types: [] }, build: () => building });
  planning.catch(() => {}); // of no interest if the build fails or gives what is there
  const built = await building;
  try {
    await application.layout().update(root, built.result);
    return await syncBuilt(application, { ids, task, planning, built });
  } catch (error) {
    task.signal.throwIfAborted();
    await discard(planning);
    const failure = explainFailure(error);
    return ids.map((id) => ({ id, outcome: 'failed', failure }));
  } finally {
    built.release();
  }
}

async function syncBuilt(
  application: Application,
  sync: {
    ids: readonly ResourceIdentifier[];
    task: SyncContext;
    planning: Promise<OpenPlan>;
    built: BuildOutcome;
  },
): Promise<SyncedResource[]> {
  const { run, brought } = application;
  const { ids, task, planning } = sync;
  const { result, failures } = sync.built;
  for (const { level, ids: about, text } of result.notes) application.sayOnce(level, `${about.join(', ')}: ${text}`);
  const failed = new Map(failedBuilds(failures).flatMap((one) => (ids.includes(one.id) ? [[one.id, one]] : [])));
  const others = ids.filter((id) => !failed.has(id));
  if (others.every((id) => brought.get(id) !== undefined && brought.get(id) === builtAs(result, id))) {
    await discard(planning);
    return ids.map((id) => failed.get(id) ?? { id, outcome: 'unchanged' });
  }
  const synced = await bring(application, others, async () => {
    const open = await planning;
    if (task.signal.aborted) await open.discard();
    task.signal.throwIfAborted();
    task.committed();
    return { open, built: result };
  });
  task.signal.throwIfAborted();
  const told = [...failed.values(), ...synced.filter(({ id }) => !failed.has(id))];
  // with --code nothing is deployed unless the user says so
  return run.options.code ? told.map((one) => withoutDeployment(one, 'failed')) : told;
}

async function discard(planning: Promise<OpenPlan>): Promise<void> {
  try {
    await (await planning).discard();
  } catch {
    // there is no plan
  }
}

/** What only a deployment can bring is `otherwise`: because there will be none, or because there just was one. */
export function withoutDeployment(resource: SyncedResource, otherwise: 'failed' | 'unchanged'): SyncedResource {
  if (resource.outcome !== 'blocked') return resource;
  const { id, failure } = resource;
  return otherwise === 'failed' ? { id, outcome: 'failed', failure } : { id, outcome: 'unchanged' };
}

/** Compares with the services what was built. */
async function planSync(application: Application, request: CodeSyncRequest): Promise<OpenPlan> {
  const open = await (await application.codeSync()).plan(request);
  if (open === undefined) throw new Error('a plan without a question was refused');
  return open;
}

/** Carries out the plan for these resources. A failure of the whole is one of each resource. */
export async function bring(
  application: Application,
  ids: readonly ResourceIdentifier[],
  prepare: () => Promise<{ open: OpenPlan; built: BuildResult }>,
): Promise<SyncedResource[]> {
  const wanted = new Set(ids);
  try {
    const { open, built } = await prepare();
    const results = await applyPlan(application, open, built);
    // functions that a layer could not be moved to are told too
    return results.filter(({ id, outcome }) => wanted.has(id) || outcome === 'failed');
  } catch (error) {
    application.run.environment.signal.throwIfAborted();
    // it is the deployment that failed
    if (error instanceof StackOvertakenError) throw error;
    const failure = explainFailure(error);
    return ids.map((id) => ({ id, outcome: 'failed', failure }));
  }
}

const FOLLOWS = 'A deployment updates them as soon as nothing has changed for a while.';
const PRESS_D = 'Only a deployment updates them: press d, or sync without --code.';

/** Carries a plan out and remembers what the cloud has after it. */
export async function applyPlan(
  application: Application,
  open: OpenPlan,
  built: BuildResult,
): Promise<SyncedResource[]> {
  const blocked = new Set(open.plan.resources.filter(({ action }) => action === 'blocked').map(({ id }) => id));
  const { results, behind } = await open.apply();
  const byDeployment = application.run.options.code ? PRESS_D : FOLLOWS;
  for (const values of behind) application.sayOnce('warning', describeBehind(values), byDeployment);
  const left = new Set(behind.map(({ id }) => id));
  return results.map((result) => {
    const { id, outcome, detail, error } = result;
    const artifact = builtAs(built, id);
    if (artifact !== undefined && (outcome === 'synced' || outcome === 'unchanged'))
      application.brought.set(id, artifact);
    else application.brought.delete(id);
    if (blocked.has(id)) return { id, outcome: 'blocked', failure: failureOf(result) };
    if (outcome === 'failed') return { id, outcome, failure: failureOf(result) };
    if (outcome === 'skipped') application.sayOnce('debug', `${id} is not synced: ${error ?? ''}`);
    return { id, outcome: outcome === 'synced' ? 'synced' : 'unchanged', detail, behind: left.has(id) };
  });
}

/** The folders that a resource's artifact was made of, which never change, or its image; undefined: it is not built. */
function builtAs(built: BuildResult, id: ResourceIdentifier): string | undefined {
  const folder = built.folders.get(id);
  if (folder === undefined) return built.images.get(id)?.imageId;
  return `${folder.path}\n${built.dependencyLayers.get(id)?.path ?? ''}`;
}

function failureOf(result: ResourceResult): SyncedResource['failure'] {
  const { error = 'it could not be synced', hint, errorKind, waitsFor } = result;
  return { message: error, hint, byItself: byItself(errorKind), waitsFor };
}

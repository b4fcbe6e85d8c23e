import type { BuildResult } from '../build/artifact.ts';
import { planBuild } from '../build/plan-build.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import type { OpenPlan } from '../sync/code/open-code-sync.ts';
import type { ResourceResult } from '../sync/code/sync-resource.ts';
import { buildOptionsOf } from '../sync/package-application.ts';
import type { Application, Resources } from './application.ts';
import { byItself, explainFailure, failedBuilds } from './explain-failure.ts';
import type { SyncedResource, SyncLane } from './watch-tasks.ts';

/** Builds these resources and brings them through the service APIs. What is the same as before is not even asked for. */
export async function syncResources(
  application: Application,
  ids: readonly ResourceIdentifier[],
  lane: SyncLane,
): Promise<SyncedResource[]> {
  const { run, brought } = application;
  const resources = application.requireResources();
  const wanted = new Set(ids);
  const plan = planBuild(resources.root, buildOptionsOf(run), wanted);
  const { result, failures } = await application.build(plan, lane.signal);
  for (const { level, ids: about, text } of result.notes) application.sayOnce(level, `${about.join(', ')}: ${text}`);
  const failed = failedBuilds(failures).filter(({ id }) => wanted.has(id));
  for (const { id } of failed) wanted.delete(id);
  const same = [...wanted].filter((id) => brought.get(id) !== undefined && brought.get(id) === builtAs(result, id));
  for (const id of same) wanted.delete(id);
  lane.signal.throwIfAborted();
  const unchanged = same.map((id): SyncedResource => ({ id, outcome: 'unchanged' }));
  if (wanted.size === 0) return [...failed, ...unchanged];
  lane.committed();
  const synced = await bring(application, resources, { ids: [...wanted], built: result });
  // with --code nothing is deployed unless the user says so
  const told = run.options.code ? synced.map((one) => withoutDeployment(one, 'failed')) : synced;
  return [...failed, ...unchanged, ...told];
}

/** What only a deployment can bring is `otherwise`: because there will be none, or because there just was one. */
export function withoutDeployment(resource: SyncedResource, otherwise: 'failed' | 'unchanged'): SyncedResource {
  if (resource.outcome !== 'blocked') return resource;
  const { id, failure } = resource;
  return otherwise === 'failed' ? { id, outcome: 'failed', failure } : { id, outcome: 'unchanged' };
}

/** Compares with the services and brings what differs. A failure of the whole is one of each resource. */
export async function bring(
  application: Application,
  { root }: Pick<Resources, 'root'>,
  {
    ids,
    built,
    isDeployed,
  }: { ids: readonly ResourceIdentifier[]; built: BuildResult; isDeployed?: (id: ResourceIdentifier) => boolean },
): Promise<SyncedResource[]> {
  // an empty selection would mean everything
  if (ids.length === 0) return [];
  const wanted = new Set(ids);
  try {
    const codeSync = await application.codeSync();
    const open = await codeSync.plan({ root, selection: { ids, types: [] }, built, isDeployed });
    if (open === undefined) throw new Error('a plan without a question was refused');
    const results = await applyPlan(application, open, built);
    // functions that a layer could not be moved to are told too
    return results.filter(({ id, outcome }) => wanted.has(id) || outcome === 'failed');
  } catch (error) {
    application.run.outside.signal.throwIfAborted();
    const failure = explainFailure(error);
    return ids.map((id) => ({ id, outcome: 'failed', failure }));
  }
}

/** Carries a plan out and remembers what the cloud has after it. */
export async function applyPlan(
  application: Application,
  open: OpenPlan,
  built: BuildResult,
): Promise<SyncedResource[]> {
  const blocked = new Set(open.plan.resources.filter(({ action }) => action === 'blocked').map(({ id }) => id));
  const { results } = await open.apply();
  return results.map((result) => {
    const { id, outcome, detail, error } = result;
    const artifact = builtAs(built, id);
    if (artifact !== undefined && (outcome === 'synced' || outcome === 'unchanged'))
      application.brought.set(id, artifact);
    else application.brought.delete(id);
    if (blocked.has(id)) return { id, outcome: 'blocked', failure: failureOf(result) };
    if (outcome === 'failed') return { id, outcome, failure: failureOf(result) };
    if (outcome === 'skipped') application.sayOnce('debug', `${id} is not synced: ${error ?? ''}`);
    return { id, outcome: outcome === 'synced' ? 'synced' : 'unchanged', detail };
  });
}

/** The folders that a resource's artifact was made of, which never change, or its image; undefined: it is not built. */
function builtAs(built: BuildResult, id: ResourceIdentifier): string | undefined {
  const folder = built.folders.get(id);
  if (folder === undefined) return built.images.get(id)?.imageId;
  return `${folder.path}\n${built.dependencyLayers.get(id)?.path ?? ''}`;
}

function failureOf({ error = 'it could not be synced', hint, errorKind }: ResourceResult): SyncedResource['failure'] {
  return { message: error, hint, byItself: byItself(errorKind) };
}

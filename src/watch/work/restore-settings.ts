import { emptyBuildResult } from '../../builder/build-result.ts';
import { readSettable } from '../../model/settable-resources.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import type { CodeSyncRequest } from '../../sync/code/open-plan.ts';
import { SET_BEFORE } from '../../sync/code/planning.ts';
import type { ResourceResult } from '../../sync/code/sync-resource.ts';
import { requireResources, withoutDirect } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import type { SyncedResource } from '../loop/results.ts';
import { ALL_RESOURCES } from '../loop/schedule.ts';
import type { DeployContext } from '../loop/watch-tasks.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { failAll } from './apply-plan.ts';
import { describeStaying } from './refused-settings.ts';

/**
 * After a deployment that CloudFormation rolled back: the stack has the templates of the deployment before, so what was set
 * directly since is set back where the rollback did not reach it. The next change of a template sets it again.
 */
export async function restoreSettings(
  application: WatchedApplication,
  context: DeployContext,
): Promise<readonly SyncedResource[]> {
  const isOld = (id: ResourceIdentifier): boolean => !context.isOutdated(id);
  application.replace((now) => ({ ...withoutDirect(now, isOld), readRoot: undefined }));
  const { tools, prepared, definitionsAhead } = application.snapshot;
  const codeSync = await tools.codeSync(prepared?.deployed.stack);
  const { selected, settable } = requireResources(application.snapshot);
  // what changed later is in the next deployment
  const isToRestore = ([id]: [ResourceIdentifier, unknown]): boolean =>
    isOld(id) && (selected.has(id) || settable.has(id));
  const isFile = fileSettings(application.snapshot.deployedRoot);
  const settings = new Map(
    Object.entries(await codeSync.ahead()).filter(
      (entry) => isToRestore(entry) && !entry[1].every((name) => isFile(entry[0], name)),
    ),
  );
  const definitions = new Map([...definitionsAhead].filter(isToRestore));
  const names = new Map<ResourceIdentifier, readonly string[]>(settings);
  for (const [id, more] of definitions) names.set(id, [...new Set([...(names.get(id) ?? []), ...more])]);
  if (names.size === 0) return [];
  // of an earlier session, and this one has no templates of the deployment before
  if (application.snapshot.deployedRoot === undefined) return [...names].map(([id, left]) => describeLeft(id, left));
  context.reserve(ALL_RESOURCES);
  await context.cleared();
  codeSync.forget();
  try {
    const results = [
      ...(await restore(application.snapshot, [...settings.keys()], {
        settings: () => SET_BEFORE,
        settingsOnly: true,
      })),
      ...(await restore(application.snapshot, [...definitions.keys()], {})),
    ];
    const ahead = await codeSync.ahead();
    const restored = new Set(results.flatMap(({ id, outcome }) => (outcome === 'failed' ? [] : [id])));
    application.replace((now) => ({
      ...now,
      ahead: { ...ahead },
      definitionsAhead: new Map([...now.definitionsAhead].filter(([id]) => !restored.has(id))),
    }));
    return onePerResource(results).map((result) => describeRestored(result, names.get(result.id) ?? []));
  } catch (error) {
    application.snapshot.run.environment.signal.throwIfAborted();
    return failAll([...names.keys()], error);
  }
}

/** Recognizes settings whose value is a file. The files of that time are gone: these settings stay as they are, as code does. */
function fileSettings(root: Stack | undefined): (id: ResourceIdentifier, name: string) => boolean {
  const types = new Map(
    (root === undefined ? [] : flattenStacks(root)).flatMap(readSettable).map(({ id, type }) => [id, type]),
  );
  return (id, name) => ownValue(kindOf(types.get(id))?.direct ?? {}, name)?.isFile === true;
}

async function restore(
  { tools, prepared, deployedRoot: root, builtProperties }: ApplicationSnapshot,
  ids: readonly ResourceIdentifier[],
  how: Pick<CodeSyncRequest, 'settings' | 'settingsOnly'>,
): Promise<readonly ResourceResult[]> {
  if (root === undefined || ids.length === 0) return [];
  const codeSync = await tools.codeSync(prepared?.deployed.stack);
  const built = emptyBuildResult(builtProperties);
  const open = await codeSync.plan({ root, selection: { ids, types: [] }, built, ...how });
  return (await open?.apply())?.results ?? [];
}

/** Gives one result for a resource of which settings and definition were set back: the failed one, if there is one. */
function onePerResource(results: readonly ResourceResult[]): ResourceResult[] {
  const byId = new Map<ResourceIdentifier, ResourceResult>();
  for (const result of results) if (byId.get(result.id)?.outcome !== 'failed') byId.set(result.id, result);
  return [...byId.values()];
}

/** A resource that has settings which the stack does not have. */
function describeLeft(id: ResourceIdentifier, names: readonly string[]): SyncedResource {
  const message = `${id} still has what an earlier session set directly and did not deploy: ${names.join(', ')}`;
  return { id, outcome: 'failed', failure: { message, hint: 'The next deployment that succeeds decides about it.' } };
}

function describeRestored({ id, outcome, error = '' }: ResourceResult, names: readonly string[]): SyncedResource {
  const list = names.join(', ');
  const isAre = names.length > 1 ? 'are' : 'is';
  const message =
    outcome === 'failed'
      ? describeStaying(id, names, error)
      : `The deployment failed: ${list} of ${id} ${isAre} as deployed before`;
  return { id, outcome: 'failed', failure: { message, hint: 'The next change of a template sets it again.' } };
}

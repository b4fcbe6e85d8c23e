import { flattenStacks } from '../../model/stack.ts';
import { listSyncResources } from '../../sync/code/sync-resource.ts';
import type { SyncResource } from '../../sync/code/sync-resource.ts';
import { ownValue } from '../../support/own-value.ts';
import { flowOf } from '../../template/kinds/kinds.ts';
import type { ResourceFacts, ResourceRole, SessionFacts } from '../../ui/commands.ts';
import { isDeployed } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';

/** Reads what the cloud has of the session's resources. Calls CloudFormation only if its list is not known. */
export async function readFacts(snapshot: ApplicationSnapshot): Promise<SessionFacts> {
  const { options, aws } = snapshot.run;
  const physicalIds = await locateAll(snapshot);
  const root = snapshot.resources?.root;
  const webFunctions = root === undefined ? [] : flattenStacks(root).flatMap((stack) => stack.webFunctions);
  const facts = (id: string, type: string, role: ResourceRole): ResourceFacts => ({
    id,
    type,
    role,
    physicalId: physicalIds.get(id),
    ahead: [
      ...(ownValue(snapshot.ahead, id) ?? []),
      ...(snapshot.definitionsAhead.get(id) ?? []),
      ...(snapshot.revised.has(id) ? ['code'] : []),
    ],
  });
  return {
    stackName: options.stackName,
    region: await aws.region(),
    local: options.local,
    resources: [
      ...syncResources(snapshot).map((resource) => facts(resource.id, resource.type, roleOf(resource))),
      ...webFunctions.map(({ id, type }) => facts(id, type, 'other')),
    ],
  };
}

/** Finds the name or ARN of a deployed resource of this role. */
export async function locate(snapshot: ApplicationSnapshot, id: string): Promise<string | undefined> {
  return (await locateAll(snapshot, id)).get(id);
}

async function locateAll(snapshot: ApplicationSnapshot, only?: string): Promise<ReadonlyMap<string, string>> {
  const root = snapshot.resources?.root;
  const stack = snapshot.prepared?.deployed.stack;
  if (root === undefined || stack === undefined) return new Map();
  const ids = syncResources(snapshot).flatMap(({ id }) =>
    isDeployed(snapshot, id) && (only === undefined || id === only) ? [id] : [],
  );
  if (ids.length === 0) return new Map();
  const codeSync = await snapshot.tools.codeSync(stack);
  return codeSync.locate(root, new Set(ids));
}

function syncResources({ resources }: ApplicationSnapshot): SyncResource[] {
  return resources === undefined ? [] : listSyncResources(resources.root);
}

function roleOf(resource: SyncResource): ResourceRole {
  if (resource.kind === 'function') return 'function';
  return resource.kind === 'definition' && flowOf(resource.type) === 'state-machine' ? 'state-machine' : 'other';
}

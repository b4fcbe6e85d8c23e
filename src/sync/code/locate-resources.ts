import { depthOf, splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import type { PlannedResource } from './code-sync-plan.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { findDeployed } from '../../cloud/generated-ids.ts';
import { conditionOf } from './select-resources.ts';
import type { CodeResource, SyncResource } from './sync-resource.ts';
import type { DeployedResource, StackListing } from '../../cloud/sync-state.ts';

/**
 * Finds the deployed resources: with one call for a single resource, else by listing each stack, all in parallel.
 * Resources that are not in the stack are absent.
 */
export async function locateResources(
  stacks: CloudStacks,
  resources: readonly SyncResource[],
): Promise<ReadonlyMap<ResourceIdentifier, DeployedResource>> {
  const paths = [...new Set(resources.map(({ stack }) => stack.path))];
  await stacks.loadCache(paths);
  const [only, ...others] = resources;
  // only the listing has the id that SAM generates for a resource
  if (only !== undefined && others.length === 0 && kindOf(only.type)?.deployedAs === undefined) {
    const deployed = await stacks.find(only.stack.path, only.resource.logicalId);
    return new Map(deployed === undefined ? [] : [[only.id, deployed]]);
  }
  const [, byPath] = await Promise.all([stacks.describe(), listStacks(stacks, paths)]);
  const located = new Map<ResourceIdentifier, DeployedResource>();
  for (const { id, stack, resource } of resources) {
    const { logicalId } = resource;
    const listing = byPath.get(stack.path);
    const deployed = listing && findDeployed(listing, { stack, logicalId });
    if (deployed !== undefined) located.set(id, deployed);
  }
  return located;
}

/** Lists stacks. A parent of several of them is listed first: one call gives the names of all, instead of one for each. */
async function listStacks(
  stacks: CloudStacks,
  paths: readonly string[],
): Promise<ReadonlyMap<string, StackListing | undefined>> {
  const parents = paths.filter((path) => path !== '').map((path) => splitIdentifier(path).stackPath);
  const shared = parents.filter((path, index) => parents.indexOf(path) < index);
  const asked = [...new Set([...shared, ...paths])].sort((one, other) => depthOf(one) - depthOf(other));
  return new Map(await Promise.all(asked.map(async (path) => [path, await stacks.listing(path)] as const)));
}

/** Plans a resource that is in the template but not in the stack. */
export function describeAbsent(resource: SyncResource, stackName: string): Omit<PlannedResource, 'named'> {
  const { id, type } = resource;
  const condition = conditionOf(resource);
  const why = `${id} is not in stack ${stackName}`;
  const hint = 'Sync without --code: a deployment creates it.';
  if (condition === undefined) return { id, type, action: 'fail', changes: [], why: `${why} yet`, hint };
  return { id, type, action: 'skip', changes: [], why: `${why}; it has the condition ${condition}` };
}

/** Why a code sync always skips the resource; undefined: it does not. Pure. */
export function syncSkipReason(resource: CodeResource): string | undefined {
  if (resource.kind === 'definition') {
    const { kind } = resource.resource.definition;
    if (kind === 'none') return 'it has no definition of its own: SAM generates it';
    return kind === 'remote' ? 'its definition is not a local file' : undefined;
  }
  const { code, skipBuild } = resource.resource;
  switch (code.kind) {
    case 'inline':
      return 'its code is part of the template';
    case 'remote':
      return 'its code is not a local file or folder';
    case 'image':
    case 'image-archive':
      return skipBuild ? 'its image is not built: its Metadata has SkipBuild' : undefined;
    default:
      return undefined;
  }
}

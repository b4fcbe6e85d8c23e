import type { ResourceIdentifier } from '../../model/stack.ts';
import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import type { PlannedResource } from './code-sync-plan.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { findDeployed } from '../../cloud/generated-ids.ts';
import { conditionOf } from './select-resources.ts';
import type { SyncResource } from './sync-resource.ts';
import type { DeployedResource } from '../../cloud/sync-state.ts';

/**
 * What the resources are in the cloud: one call for one resource, else a list of each stack's resources, nested stacks side
 * by side. What is not in the stack is absent.
 */
export async function locateResources(
  stacks: CloudStacks,
  resources: readonly SyncResource[],
): Promise<ReadonlyMap<ResourceIdentifier, DeployedResource>> {
  const paths = [...new Set(resources.map(({ stack }) => stack.path))];
  await stacks.loadCache(paths);
  const [only, ...others] = resources;
  // the listing alone has the ID that SAM gives a resource in the stack
  if (only !== undefined && others.length === 0 && kindOf(only.type)?.deployedAs === undefined) {
    const deployed = await stacks.find(only.stack.path, only.resource.logicalId);
    return new Map(deployed === undefined ? [] : [[only.id, deployed]]);
  }
  const [, ...listings] = await Promise.all([stacks.describe(), ...paths.map((path) => stacks.listing(path))]);
  const byPath = new Map(paths.map((path, index) => [path, listings[index]] as const));
  const located = new Map<ResourceIdentifier, DeployedResource>();
  for (const { id, stack, resource } of resources) {
    const { logicalId } = resource;
    const listing = byPath.get(stack.path);
    const deployed = listing && findDeployed(listing, { stack, logicalId });
    if (deployed !== undefined) located.set(id, deployed);
  }
  return located;
}

/** What to say of a resource that is in the template and not in the stack. */
export function describeAbsent(resource: SyncResource, stackName: string): Omit<PlannedResource, 'named'> {
  const { id, type } = resource;
  const condition = conditionOf(resource);
  const why = `${id} is not in stack ${stackName}`;
  const hint = 'Sync without --code: a deployment makes it.';
  if (condition === undefined) return { id, type, action: 'fail', changes: [], why: `${why} yet`, hint };
  return { id, type, action: 'skip', changes: [], why: `${why}; it has the condition ${condition}` };
}

/** Why a code sync has nothing to do with the resource, whatever the cloud says; undefined: it may have. Pure. */
export function syncSkipReason(resource: SyncResource): string | undefined {
  if (resource.kind === 'definition') {
    const { kind } = resource.resource.definition;
    if (kind === 'none') return 'it has no definition of its own: SAM or the template makes it';
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
      return skipBuild ? 'its image is not made here: its Metadata has SkipBuild' : undefined;
    default:
      return undefined;
  }
}

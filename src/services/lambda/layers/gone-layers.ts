import { isAwsError } from '../../../aws/service-errors.ts';
import { DEPENDENCY_STACK } from '../../../builder/dependency-layers/dependency-layer.ts';
import { flattenStacks, identifierOf } from '../../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../../model/stack.ts';
import { isBuiltAs } from '../../../template/kinds/kinds.ts';
import type { CloudStacks } from '../../../cloud/cloud-stacks.ts';
import type { LambdaAccess } from '../lambda-client.ts';
import { versionOf } from './layer-versions.ts';
import type { DeployedResource } from '../../../cloud/sync-state.ts';

/**
 * Finds layer versions that the stacks own but that no longer exist in Lambda: identifier in the template → number. A code
 * sync of SAM CLI deletes CloudFormation's version when it publishes another one (docs/sam-cli-behaviour.md#defect-15).
 * CloudFormation does not notice: every update of a function with that version fails.
 */
export async function findGoneLayers(
  { stacks, lambda }: { stacks: CloudStacks; lambda: LambdaAccess },
  root: Stack,
): Promise<ReadonlyMap<ResourceIdentifier, number>> {
  const templates = new Map(flattenStacks(root).map((stack) => [stack.path, stack] as const));
  const paths = [...templates.keys()].flatMap((path) => [path, identifierOf(path, DEPENDENCY_STACK)]);
  const listings = await Promise.all(paths.map(async (path) => [path, await stacks.listing(path)] as const));
  const resources = listings.flatMap(([path, listing]) =>
    Object.entries(listing ?? {}).map(([logicalId, resource]) => ({ path, logicalId, resource })),
  );
  const owned = resources.filter(({ resource }) => isBuiltAs(resource.type, 'layer'));
  if (owned.length === 0) return new Map();
  const functions = resources.filter(({ resource }) => isBuiltAs(resource.type, 'function'));
  const states = await lambda.readMany(functions.map(({ resource }) => resource.physicalId));
  // a version that a function uses exists: SAM CLI moves the functions before it deletes the version
  const used = new Set([...states.values()].flatMap(({ layers }) => layers));
  const isGone = await Promise.all(
    owned.map(async ({ resource }) => !used.has(resource.physicalId) && !(await isThere(lambda, resource))),
  );
  const gone = owned.filter((_, index) => isGone[index]);
  return new Map(
    gone.map(({ path, logicalId, resource }) => {
      const id = identifierOf(path, templateId(templates.get(path), logicalId));
      return [id, versionOf(resource.physicalId)];
    }),
  );
}

/** What the layer is called in its template: SAM puts ten hex digits behind the ids of its layers. */
function templateId(stack: Stack | undefined, logicalId: string): string {
  const isWritten = stack?.layers.some((layer) => layer.logicalId === logicalId) === true;
  return isWritten ? logicalId : logicalId.replace(/[0-9a-f]{10}$/, '');
}

async function isThere(lambda: LambdaAccess, { physicalId }: DeployedResource): Promise<boolean> {
  const { send, GetLayerVersionByArnCommand } = await lambda.service();
  try {
    await send(new GetLayerVersionByArnCommand({ Arn: physicalId }));
    return true;
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return false;
    // without permission to read layers, they count as existing
    if (isAwsError(error) && error.kind === 'access-denied') return true;
    throw error;
  }
}

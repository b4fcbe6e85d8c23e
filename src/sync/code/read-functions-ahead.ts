import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import { findDeployed } from '../../cloud/generated-ids.ts';
import type { Stack } from '../../model/stack.ts';
import { isImage } from '../../services/lambda/function-code.ts';
import type { LambdaAccess } from '../../services/lambda/lambda-client.ts';
import { syncSkipReason } from './locate-resources.ts';
import { listSyncResources } from './sync-resource.ts';

/** Starts to read the functions that a plan of everything needs, if cached listings have their names. */
export async function readFunctionsAhead(
  { stacks, lambda }: { stacks: CloudStacks; lambda: LambdaAccess },
  root: Stack,
): Promise<void> {
  const functions = listSyncResources(root).flatMap((candidate) =>
    candidate.kind === 'function' && syncSkipReason(candidate) === undefined ? [candidate] : [],
  );
  const paths = [...new Set(functions.map(({ stack }) => stack.path))];
  await stacks.loadCache(paths);
  if (paths.some((path) => stacks.cachedListing(path) === undefined)) return;
  const nameOf = ({ stack, resource }: (typeof functions)[number]): string[] => {
    const deployed = findDeployed(stacks.cachedListing(stack.path) ?? {}, { stack, logicalId: resource.logicalId });
    return deployed === undefined ? [] : [deployed.physicalId];
  };
  const images = functions.filter(({ resource }) => isImage(resource));
  lambda.readAhead(functions.flatMap(nameOf), new Set(images.flatMap(nameOf)));
}

import type { CloudStacks } from '../../../cloud/cloud-stacks.ts';
import { findDeployed } from '../../../cloud/generated-ids.ts';
import type { ResourceIdentifier, Stack } from '../../../model/stack.ts';
import { isImage } from '../../../services/lambda/function-code.ts';
import type { LambdaAccess } from '../../../services/lambda/lambda-client.ts';
import { ownValue } from '../../../support/own-value.ts';
import { syncSkipReason } from '../locate-resources.ts';
import { listSyncResources } from '../sync-resource.ts';

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
  lambda.readAhead(functions.flatMap(nameOf), { images: new Set(images.flatMap(nameOf)) });
}

/** So many functions are read ahead of a save: their requests are those that the sync would send. */
const READ_AHEAD = 2;
/** A saved file is synced within the longest quiet period and a moment (ms). */
const SYNCED_WITHIN = 1_000;

/** Starts to read these functions, as far as their names are known, for a sync that begins within a moment. */
export function readSavedAhead(
  { stacks, lambda }: { stacks: CloudStacks; lambda: LambdaAccess },
  root: Stack,
  ids: ReadonlySet<ResourceIdentifier>,
): void {
  const names = listSyncResources(root).flatMap(({ id, kind, stack, resource }) => {
    if (kind !== 'function' || !ids.has(id)) return [];
    const listing = stacks.cachedListing(stack.path);
    const { logicalId } = resource;
    const deployed = listing ? findDeployed(listing, { stack, logicalId }) : ownValue(stacks.facts.found, id);
    return deployed === undefined ? [] : [deployed.physicalId];
  });
  if (names.length > 0 && names.length <= READ_AHEAD) lambda.readAhead(names, { within: SYNCED_WITHIN });
}

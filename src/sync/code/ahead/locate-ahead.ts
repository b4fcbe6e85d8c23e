import { openCloudStacks } from '../../../cloud/cloud-stacks.ts';
import type { CloudStacks } from '../../../cloud/cloud-stacks.ts';
import { splitIdentifier } from '../../../model/stack.ts';
import { openLambda } from '../../../services/lambda/lambda-client.ts';
import type { LambdaAccess } from '../../../services/lambda/lambda-client.ts';
import { kindOf } from '../../../template/kinds/kinds.ts';
import { openStackMemory } from '../../open-stores.ts';
import type { SyncRun } from '../../sync-run.ts';

/** The stack and its functions, with calls under way. */
export interface LocatedAhead {
  stacks: CloudStacks;
  lambda: LambdaAccess;
  /** Whether the whole stack is being described. */
  isDescribing: boolean;
  /** An earlier run has found the resource that the command names. */
  isGuessed: boolean;
}

/**
 * Starts the calls that `--code` will need while the templates are read: an earlier run found the named resource, so we ask
 * CloudFormation for it again, and Lambda for that function, at the same time. Sends no change: only CloudFormation's answer
 * shows that the function is still the stack's. undefined: nothing is known.
 */
export async function locateAhead({ options, environment, aws }: SyncRun): Promise<LocatedAhead | undefined> {
  const [id, ...others] = options.resourceIds;
  const memory = await openStackMemory({ options, aws });
  const { stackPath, logicalId } = splitIdentifier(id ?? '');
  const isDescribing = await memory.hasListing(stackPath);
  const guess = id === undefined || others.length > 0 ? undefined : await memory.guess(stackPath, logicalId);
  if (guess === undefined && !isDescribing) return undefined;
  const stacks = openCloudStacks({ aws, stackName: options.stackName, memory });
  const lambda = openLambda(aws, { signal: environment.signal });
  const asking = isDescribing ? stacks.describe() : stacks.find(stackPath, logicalId);
  // reported by the code that awaits the answer
  asking.catch(() => {});
  if (guess !== undefined && kindOf(guess.type)?.sync === 'function') lambda.readAhead([guess.physicalId]);
  return { stacks, lambda, isDescribing, isGuessed: guess !== undefined };
}

import type { Aws } from '../aws/aws.ts';
import { UserError } from '../errors.ts';
import { describeStack } from './describe-stack.ts';
import type { DeployedStack } from './describe-stack.ts';
import { stackCondition } from './stack-status.ts';

/** Another process changed the stack after our deployment, so its template takes effect. */
export class StackOvertakenError extends UserError {
  constructor(stackName: string, now: DeployedStack | undefined) {
    const event = now === undefined ? 'deleted' : `changed (it is in ${now.status})`;
    super(`Stack ${stackName} was deployed, but then ${event} by someone else`, {
      hint: 'No code was synced on top of that change. When it is complete, sync again to deploy yours (in a watch: press d).',
    });
  }
}

/** Throws if the stack changed after this deployment. One call at most. */
export async function requireLatest(
  aws: Aws,
  { stack, isLatest }: { stack: DeployedStack; isLatest: boolean },
): Promise<void> {
  const now = await describeStack(aws, stack.name);
  if (!isLatest || now === undefined || isNewer(now, stack)) throw new StackOvertakenError(stack.name, now);
}

/** Returns whether the stack was changed or replaced since it was described. One call. */
export async function hasChangedSince(aws: Aws, stack: DeployedStack): Promise<boolean> {
  const now = await describeStack(aws, stack.name);
  return now === undefined || isNewer(now, stack);
}

/** Returns whether `now` is a later state. An older description is not: CloudFormation's answers may lag behind. */
function isNewer(now: DeployedStack, before: DeployedStack): boolean {
  return now.id !== before.id || stackCondition(now.status) === 'busy' || timeOf(now) > timeOf(before);
}

function timeOf({ updatedAt, createdAt }: DeployedStack): number {
  return (updatedAt ?? createdAt)?.getTime() ?? 0;
}

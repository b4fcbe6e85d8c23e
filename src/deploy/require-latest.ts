import type { Aws } from '../aws/aws.ts';
import { UserError } from '../errors.ts';
import { describeStack } from './describe-stack.ts';
import type { DeployedStack } from './describe-stack.ts';
import { stackCondition } from './stack-status.ts';

/** Somebody else changed the stack after our deployment: their template is in effect, or will be. */
export class StackOvertakenError extends UserError {
  constructor(stackName: string, now: DeployedStack | undefined) {
    const what = now === undefined ? 'deleted it' : `changed it (it is in ${now.status})`;
    super(`Stack ${stackName} was deployed, but someone else has since ${what}`, {
      hint: 'No code was synced on top of their change. When they are done, sync again to deploy yours (in a watch: press d).',
    });
  }
}

/** Rejects if the stack is not as this deployment left it any more. One call at most. */
export async function requireLatest(
  aws: Aws,
  { stack, isLatest }: { stack: DeployedStack; isLatest: boolean },
): Promise<void> {
  const now = await describeStack(aws, stack.name);
  if (!isLatest || now === undefined || isNewer(now, stack)) throw new StackOvertakenError(stack.name, now);
}

/** Whether the stack was changed, or deleted and made again, since it was described. One call. */
export async function hasChangedSince(aws: Aws, stack: DeployedStack): Promise<boolean> {
  const now = await describeStack(aws, stack.name);
  return now === undefined || isNewer(now, stack);
}

/** An older description is no sign of a change: CloudFormation's answers may lag behind. */
function isNewer(now: DeployedStack, before: DeployedStack): boolean {
  return now.id !== before.id || stackCondition(now.status) === 'busy' || timeOf(now) > timeOf(before);
}

function timeOf({ updatedAt, createdAt }: DeployedStack): number {
  return (updatedAt ?? createdAt)?.getTime() ?? 0;
}

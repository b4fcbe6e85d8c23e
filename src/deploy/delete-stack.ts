import type { Aws } from '../aws/aws.ts';
import { step, type Reporter } from '../console/reporter.ts';
import type { DeployedStack } from './describe-stack.ts';
import { findFirstCause, isStackItself, type StackEventRecord } from './first-cause.ts';
import { waitUntilSettled } from './follow-stack.ts';
import { StackFailedError } from './stack-failure.ts';
import { describeFailedState, stackCondition } from './stack-status.ts';
import { readEvents } from './stack-events.ts';

/** The longest deletion of a stack that was never created (ms). */
const MAX_DELETION = 60 * 60_000;

/** Deletes a stack whose creation never succeeded and waits until it is gone. */
export async function deleteStack(
  aws: Aws,
  stack: DeployedStack,
  tools: { reporter: Reporter; signal?: AbortSignal | undefined; pollDelayMs?: number | undefined },
): Promise<void> {
  const start = { kind: 'delete', id: `delete:${stack.name}`, label: `stack ${stack.name}` } as const;
  await step(tools.reporter, start, async () => {
    const { send, DeleteStackCommand } = await aws.cloudFormation();
    await send(new DeleteStackCommand({ StackName: stack.id }));
    const remaining = await waitUntilSettled(aws, stack.id, { ...tools, timeoutMs: MAX_DELETION });
    if (remaining !== undefined && stackCondition(remaining.status) !== 'absent') {
      const events = await readEvents(aws, { id: stack.id, path: '' }, isDeletionStart);
      const failure = findFirstCause(events);
      const reason =
        failure === undefined ? (remaining.statusReason ?? remaining.status) : `${failure.id}: ${failure.reason}`;
      throw new StackFailedError(`Could not delete stack ${stack.name}: ${reason}`, {
        status: remaining.status,
        failure,
        hint: describeFailedState({ ...remaining, stackName: stack.name, region: stack.region }),
      });
    }
    return { value: undefined };
  });
}

function isDeletionStart(event: StackEventRecord): boolean {
  return isStackItself(event) && event.status === 'DELETE_IN_PROGRESS';
}

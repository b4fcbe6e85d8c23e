import { UserError } from '../errors.ts';
import { pointsElsewhere } from './failed-events.ts';
import { findFirstCause, findRollbackFailure, type FailureCause } from './first-cause.ts';
import type { FollowResult } from './follow-stack.ts';
import { describeFailedState } from './stack-status.ts';

/** The operation failed. The message has the first cause. */
export class StackFailedError extends UserError {
  /** Current status of the stack. */
  readonly status: string;
  readonly failure: FailureCause | undefined;

  constructor(message: string, details: { status: string; failure: FailureCause | undefined; hint: string }) {
    super(message, { hint: details.hint });
    this.status = details.status;
    this.failure = details.failure;
  }
}

/** Creates the error for an operation that failed. Pure. `failure`: its first cause, by default that of its events. */
export function explainStackFailure(
  operation: { stackName: string; region: string; verb: 'create' | 'update' | 'delete' },
  { status, stack, isLatest, events }: FollowResult,
  failure: FailureCause | undefined = findFirstCause(events),
): StackFailedError {
  const rollback = status.endsWith('ROLLBACK_FAILED') ? findRollbackFailure(events) : undefined;
  const sentences = [
    failure === undefined
      ? `Could not ${operation.verb} stack ${operation.stackName}: ${(isLatest && stack?.statusReason) || status}`
      : `${failure.id} (${failure.resourceType}) failed: ${failure.reason}`,
    rollback === undefined ? undefined : `The rollback then failed at ${rollback.id}: ${rollback.reason}`,
    failure === undefined || failure.others.length === 0 ? undefined : `Also failed: ${failure.others.join(', ')}`,
  ];
  const failed = { ...operation, status, deploymentMode: stack?.deploymentMode };
  const hint = [adviceFor(failure?.reason ?? '', operation.stackName), describeFailedState(failed)];
  return new StackFailedError(sentences.filter(Boolean).join('\n'), {
    status,
    failure,
    hint: hint.filter(Boolean).join(' '),
  });
}

/** Returns advice for the most frequent reasons. */
function adviceFor(reason: string, stackName: string): string | undefined {
  if (pointsElsewhere(reason)) {
    const command = `aws cloudformation describe-events --stack-name ${stackName} --filters FailedEvents=true`;
    return `The cause could not be read (permission cloudformation:DescribeEvents). To see it: ${command}.`;
  }
  if (/cannot be assumed by/i.test(reason)) {
    return 'A new role takes some seconds to become usable: syncing again often helps.';
  }
  const action = /not authorized to perform: (\S+)/i.exec(reason)?.[1];
  if (action !== undefined) return `The deploying identity (or the role of --role-arn) needs the permission ${action}.`;
  if (/A version for this Lambda function exists/i.test(reason)) {
    return (
      "Lambda's newest version has the same code and settings. Change the function (its Description is enough), or allow " +
      'lambda:ListVersionsByFunction, lambda:UpdateFunctionConfiguration and lambda:PublishVersion: then the sync publishes another version first.'
    );
  }
  if (/already exists/i.test(reason)) {
    return 'A resource with that name exists outside this stack: delete or rename it, or let CloudFormation choose the name.';
  }
  if (/\bRate exceeded\b|\bThrottling(?:Exception)?\)|\bTooManyRequests/i.test(reason))
    return 'The service throttled requests: syncing again often helps.';
  return undefined;
}

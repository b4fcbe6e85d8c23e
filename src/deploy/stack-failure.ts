import { UserError } from '../errors.ts';
import { findFirstCause, findRollbackFailure, type FailureCause } from './first-cause.ts';
import type { FollowResult } from './follow-stack.ts';
import { describeFailedState } from './stack-status.ts';

/** The operation was carried out and failed; `message` tells the first cause. */
export class StackFailedError extends UserError {
  /** What the stack is in now. */
  readonly status: string;
  readonly failure: FailureCause | undefined;

  constructor(message: string, about: { status: string; failure: FailureCause | undefined; hint: string }) {
    super(message, { hint: about.hint });
    this.status = about.status;
    this.failure = about.failure;
  }
}

/** The error for an operation that did not end as wanted. Pure. */
export function explainStackFailure(
  about: { stackName: string; region: string; verb: 'create' | 'update' | 'delete' },
  { status, stack, isLatest, events }: FollowResult,
): StackFailedError {
  const failure = findFirstCause(events);
  const rollback = status.endsWith('ROLLBACK_FAILED') ? findRollbackFailure(events) : undefined;
  const sentences = [
    failure === undefined
      ? `Stack ${about.stackName} could not be ${about.verb}d: ${(isLatest && stack?.statusReason) || status}`
      : `${failure.id} (${failure.resourceType}) failed: ${failure.reason}`,
    rollback === undefined ? undefined : `The rollback then failed at ${rollback.id}: ${rollback.reason}`,
    failure === undefined || failure.others.length === 0 ? undefined : `Failed too: ${failure.others.join(', ')}`,
  ];
  const left = { ...about, status, deploymentMode: stack?.deploymentMode };
  const hint = [adviceFor(failure?.reason ?? ''), describeFailedState(left)];
  return new StackFailedError(sentences.filter(Boolean).join('\n'), {
    status,
    failure,
    hint: hint.filter(Boolean).join(' '),
  });
}

/** What helps against the reasons that users meet most. */
function adviceFor(reason: string): string | undefined {
  if (/cannot be assumed by/i.test(reason)) {
    return 'A role that was just made is not known everywhere at once: syncing again often helps.';
  }
  const action = /not authorized to perform: (\S+)/i.exec(reason)?.[1];
  if (action !== undefined) return `Whoever deploys (or the role of --role-arn) needs the permission ${action}.`;
  if (/already exists/i.test(reason)) {
    return 'Something of that name is there already, outside this stack: delete or rename it, or leave the name to CloudFormation.';
  }
  if (/\bRate exceeded\b|\bThrottling(?:Exception)?\)|\bTooManyRequests/i.test(reason))
    return 'The service was busy: syncing again often helps.';
  return undefined;
}

import type { OperationEvent } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { findFirstCause } from './first-cause.ts';
import type { FailureCause, StackEventRecord } from './first-cause.ts';

/** The operation that failed. */
interface FailedOperation {
  /** The ARN. */
  stackId: string;
  /** Its `ClientRequestToken`. */
  token: string;
}

/**
 * Returns why an operation failed. Where its events only point at `DescribeEvents`, as those of CloudFormation's early
 * validation do, asks there; an endpoint without that operation, or a missing permission, leaves what the events say.
 */
export async function readFirstCause(
  aws: Aws,
  operation: FailedOperation,
  events: readonly StackEventRecord[],
): Promise<FailureCause | undefined> {
  const cause = findFirstCause(events);
  if (cause !== undefined && !pointsElsewhere(cause.reason)) return cause;
  return (await readFailedEvents(aws, operation)) ?? cause;
}

/** Returns whether the reason names no cause, but where to ask for it. */
export function pointsElsewhere(reason: string): boolean {
  return /\bDescribeEvents\b|\bEarlyValidation\b|^the following [a-z/()]+ failed/i.test(reason);
}

async function readFailedEvents(aws: Aws, { stackId, token }: FailedOperation): Promise<FailureCause | undefined> {
  const { send, DescribeEventsCommand } = await aws.cloudFormation();
  const events: OperationEvent[] = [];
  try {
    let NextToken: string | undefined;
    do {
      const page = await send(
        new DescribeEventsCommand({ StackName: stackId, Filters: { FailedEvents: true }, NextToken }),
      );
      events.push(...(page.OperationEvents ?? []));
      NextToken = page.NextToken || undefined;
    } while (NextToken !== undefined);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return undefined;
  }
  return causeOf(ofOperation(events, token));
}

/** The events of the operation with the token; without tokens those of the latest operation. */
function ofOperation(events: readonly OperationEvent[], token: string): OperationEvent[] {
  const own = events.filter((event) => event.ClientRequestToken === token);
  const ordered = [...(own.length > 0 ? own : events)].sort((a, b) => timeOf(a) - timeOf(b));
  const latest = ordered.at(-1)?.OperationId;
  return ordered.filter(({ OperationId: id }) => own.length > 0 || id === latest);
}

function timeOf({ Timestamp: time, StartTime: start }: OperationEvent): number {
  return (time ?? start)?.getTime() ?? 0;
}

function causeOf(events: readonly OperationEvent[]): FailureCause | undefined {
  const named = events.flatMap((event) => {
    const reason = reasonOf(event);
    const { LogicalResourceId: id = '', ResourceType: type = '' } = event;
    return reason === undefined || pointsElsewhere(reason) ? [] : [{ id, type, reason }];
  });
  const [first, ...others] = named;
  if (first === undefined) return undefined;
  const more = new Set(others.map(({ id, reason }) => `${id}: ${reason}`));
  more.delete(`${first.id}: ${first.reason}`);
  return { id: first.id, resourceType: first.type, reason: first.reason, others: [...more] };
}

/** Returns why the event failed; undefined for a warning and for an event that gives no reason. */
function reasonOf(event: OperationEvent): string | undefined {
  switch (event.EventType) {
    case 'VALIDATION_ERROR': {
      if (event.ValidationFailureMode === 'WARN') return undefined;
      const { ValidationStatusReason: reason, ValidationPath: path } = event;
      return reason && path ? `${reason} (at ${path})` : reason || undefined;
    }
    case 'HOOK_INVOCATION_ERROR':
      if (event.HookFailureMode === 'WARN') return undefined;
      return `the hook ${event.HookType} rejected it: ${event.HookStatusReason || 'no reason given'}`;
    default:
      return event.ResourceStatusReason || undefined;
  }
}

import type { StackEventRow } from '../console/reporter.ts';
import { identifierOf } from '../model/stack.ts';

/** A stack event with its identity. */
export interface StackEventRecord extends StackEventRow {
  id: string;
  stackId: string;
  physicalId: string;
  /** `ClientRequestToken` of its operation. */
  token: string | undefined;
  /** The CloudFormation Hook that evaluated the resource. */
  hook?: { type: string; status: string; reason: string | undefined } | undefined;
}

/** Why an operation failed: the first resource that failed, not those that were cancelled because of it. */
export interface FailureCause {
  /** `Child/LogicalId`; the name of the stack if it failed without a resource. */
  id: string;
  resourceType: string;
  reason: string;
  /** Other resources with a failure of their own. */
  others: readonly string[];
}

const CANCELLED = /^(resource )?(creation|update|deletion|import)? ?cancell?ed/i;
const EMBEDDED = /^embedded stack .* was not successfully/i;
const SUMMARY = /^the following (resource|hook)\(s\) failed/i;

/** Finds the first cause among the events of an operation, given in any order. Pure. */
export function findFirstCause(events: readonly StackEventRecord[]): FailureCause | undefined {
  const ordered = [...events].sort((a, b) => a.timestamp.getTime() - b.timestamp.getTime());
  const failed = ordered.filter((event) => event.status.endsWith('_FAILED') && !isStackItself(event));
  const own = failed.filter(({ reason = '' }) => !CANCELLED.test(reason) && !EMBEDDED.test(reason));
  // a macro or the template as a whole fails without a resource
  const ofStack = ordered.filter(
    (event) => isStackItself(event) && isFailing(event.status) && isSpecific(event.reason),
  );
  // without events of a child stack only its parent reports the failure
  const first = own[0] ?? ofStack[0] ?? failed.find(({ reason = '' }) => !CANCELLED.test(reason)) ?? failed[0];
  if (first === undefined) return undefined;
  const id = isStackItself(first) ? first.stackPath || first.logicalId : idOf(first);
  const others = new Set(own.map(idOf));
  others.delete(id);
  return { id, resourceType: first.resourceType, reason: reasonOf(first, ordered), others: [...others] };
}

/** Finds why a rollback failed: the first failure after it began. Pure. */
export function findRollbackFailure(events: readonly StackEventRecord[]): FailureCause | undefined {
  const starts = events.filter(isRollbackStart);
  const began = Math.min(...starts.map((event) => event.timestamp.getTime()));
  return findFirstCause(events.filter((event) => event.timestamp.getTime() >= began && !isRollbackStart(event)));
}

/** Returns whether the event is about its stack, not about a resource in it. */
export function isStackItself(event: StackEventRecord): boolean {
  return event.physicalId === event.stackId;
}

function isRollbackStart(event: StackEventRecord): boolean {
  return isStackItself(event) && event.status.endsWith('ROLLBACK_IN_PROGRESS');
}

function isFailing(status: string): boolean {
  return status.endsWith('_FAILED') || status.endsWith('ROLLBACK_IN_PROGRESS');
}

function isSpecific(reason: string | undefined): boolean {
  return reason !== undefined && reason !== '' && !SUMMARY.test(reason) && !/^user initiated/i.test(reason);
}

function idOf({ stackPath, logicalId }: StackEventRecord): string {
  return identifierOf(stackPath, logicalId);
}

function reasonOf(event: StackEventRecord, events: readonly StackEventRecord[]): string {
  const reason = event.reason ?? 'no reason given';
  if (!SUMMARY.test(reason)) return reason;
  const hook = events.find(
    (other) =>
      other.stackId === event.stackId &&
      other.logicalId === event.logicalId &&
      other.hook?.status === 'HOOK_COMPLETE_FAILED',
  )?.hook;
  return hook === undefined ? reason : `the hook ${hook.type} rejected it: ${hook.reason ?? 'no reason given'}`;
}

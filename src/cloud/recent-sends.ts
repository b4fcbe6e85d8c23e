import { isAwsError, mayHaveArrived } from '../aws/service-errors.ts';
import { ownValue } from '../support/own-value.ts';

/*
 * A service may return stale data right after a change. A sync that sends B and then goes back to A would read the old A,
 * find nothing to do, and leave B in place. So recent changes are recorded. A value that a service had before such a change
 * may be stale, and is sent again: sending twice is harmless. Where a service gives each change an id, ids are compared: if
 * CloudFormation deployed the same content again, its version is not stale, and sending over it would leave references to
 * that version behind.
 *
 * What the API references say about reads after writes (as of the AWS SDK in package.json):
 *
 *   Step Functions  DescribeStateMachine: "eventually consistent … may not reflect very recent updates"; UpdateStateMachine
 *                   and UpdateStateMachineAlias take "a few seconds". Used here for state machines (revision ids).
 *   Lambda          GetFunction, GetFunctionConfiguration, ListFunctions: nothing. LastUpdateStatus says when an update is
 *                   complete, and lists do not have it. Used here for code (CodeSha256, ResolvedImageUri), layers
 *                   and settings.
 *   API Gateway     GetStages, GetDeployments, both API types: nothing. Used here for deployments of stages (their ids).
 *   Layer versions  Content never changes and numbers are never reused, so GetLayerVersion cannot be stale.
 *                   ListLayerVersions: nothing; versions that we deleted are ignored (`removedLayers` in the facts), and
 *                   a version that is missing there is published again.
 *   CloudFormation  DescribeStacks, GetTemplate, ListStackResources, DescribeStackResource: nothing (stack sets: "strongly
 *                   consistent"). We follow an operation until DescribeStacks shows its end (`follow-stack.ts`), and
 *                   read listings again after each one.
 *   S3              HeadObject, ListObjectsV2: strongly consistent after PUT and DELETE, in all Regions (S3 user guide, data
 *                   consistency model). ECR's DescribeImages: nothing; an image that is missing there is pushed again.
 */

/** A value of a resource, returned by its service or sent by us, and when (ms since 1970). */
export interface RecentValue {
  value: string;
  at: number;
}

/** Recent values by resource (ARN, name or id, and which part of it). */
export type SentValues = Record<string, readonly RecentValue[]>;

/** Services speak of seconds: after this time (ms) every read returns a change. */
const RECENT = 30_000;

/** What a service returns about a resource. */
export interface ShownValue {
  /** ARN, name or id, and which part of the resource. */
  resource: string;
  value: string;
}

/** Whether the value is one that the resource had before our last recent change: the read may be stale. */
export function mayBeStale({ sent }: { sent: SentValues }, { resource, value }: ShownValue, now = Date.now()): boolean {
  const recent = recentOf(ownValue(sent, resource), now);
  return recent.length > 0 && recent.at(-1)?.value !== value && recent.some((earlier) => earlier.value === value);
}

/** A change of a value, from what the service shows. */
export interface SentChange {
  shown: ShownValue;
  value: string;
}

/** Sends a change from `shown` to `value`, or several in one request, and records them unless the service surely refused. */
export async function sendAndRecord<T>(
  facts: { sent: SentValues },
  changes: SentChange | readonly SentChange[],
  send: () => Promise<T>,
): Promise<T> {
  const note = (): void => {
    const now = Date.now();
    for (const { shown, value } of [changes].flat()) {
      const { resource } = shown;
      const before = recentOf(ownValue(facts.sent, resource), now);
      facts.sent[resource] = [...before, { value: shown.value, at: now }, { value, at: now }];
    }
  };
  try {
    const answer = await send();
    note();
    return answer;
  } catch (error) {
    if (!isAwsError(error) || mayHaveArrived(error)) note();
    throw error;
  }
}

/** Records a request that may have arrived or not: either value may be stale, so that the new one is sent again. */
export function recordAttempt(
  facts: { sent: SentValues },
  { shown: { resource, value: before }, value }: SentChange,
): void {
  const at = Date.now();
  const earlier = recentOf(ownValue(facts.sent, resource), at);
  facts.sent[resource] = [...earlier, { value, at }, { value: before, at }];
}

/** The values that are recent enough to be saved for later runs. */
export function recentSends(sent: SentValues, now = Date.now()): SentValues {
  const recent = Object.entries(sent).map(([resource, values]) => [resource, recentOf(values, now)] as const);
  return Object.fromEntries(recent.filter(([, values]) => values.length > 0));
}

function recentOf(values: readonly RecentValue[] = [], now: number): RecentValue[] {
  return values.filter(({ at }) => Math.abs(now - at) < RECENT);
}

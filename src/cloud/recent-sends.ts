import { isAwsError } from '../aws/service-errors.ts';
import { ownValue } from '../support/own-value.ts';
import type { SyncFacts } from './sync-state.ts';

/*
 * What a service shows right after a change may be what it was before. A sync that went B, then back to A, would see the
 * old A, find nothing to do, and B would stay. So what was sent lately is remembered, and where a service shows something
 * that was there before it, that counts as doubtful and is sent once more: sending twice is harmless. Where a service gives
 * each change an id, ids are compared: a deployment of CloudFormation that sets the same content again is no doubt, and
 * sending over it would leave behind what names its version.
 *
 * What the API references say about reading after writing (as of the AWS SDK in package.json):
 *
 *   Step Functions  DescribeStateMachine: "eventually consistent … may not reflect very recent updates"; UpdateStateMachine
 *                   and UpdateStateMachineAlias take "a few seconds". Used here for state machines (revision ids).
 *   Lambda          GetFunction, GetFunctionConfiguration, ListFunctions: nothing. LastUpdateStatus says when an update is
 *                   complete, and lists do not have it. Used here for code (CodeSha256, ResolvedImageUri) and layers.
 *   API Gateway     GetStages, GetDeployments, both API types: nothing. Used here for deployments of stages (their ids).
 *   Layer versions  Content never changes and numbers are never given twice, so GetLayerVersion cannot be outdated.
 *                   ListLayerVersions: nothing; versions that we removed are left out (`removedLayers` in the facts), a
 *                   version that is missing there is published again.
 *   CloudFormation  DescribeStacks, GetTemplate, ListStackResources, DescribeStackResource: nothing (stack sets: "strongly
 *                   consistent"). An operation is followed until DescribeStacks shows its end (`follow-stack.ts`), and
 *                   listings are read again after each one.
 *   S3              HeadObject, ListObjectsV2: strongly consistent after PUT and DELETE, in all Regions (S3 user guide, data
 *                   consistency model). ECR's DescribeImages: nothing; an image that is missing there is pushed again.
 */

/** Something that a resource had at a time (ms since 1970): shown by its service, or sent by us. */
export interface RecentValue {
  value: string;
  at: number;
}

/** Services speak of seconds; a change that is older than this (ms) is seen by everybody. */
const RECENT = 30_000;

/** What a service shows of the resource that is compared. */
export interface Shown {
  /** ARN, name or id, and what of it. */
  resource: string;
  value: string;
}

/** Whether a service shows what was there before our last change of the resource: it may still show the past. */
export function isDoubtful({ sent }: Pick<SyncFacts, 'sent'>, { resource, value }: Shown, now = Date.now()): boolean {
  const recent = recentOf(ownValue(sent, resource), now);
  return recent.length > 0 && recent.at(-1)?.value !== value && recent.some((earlier) => earlier.value === value);
}

/** Sends a change of what is shown to `value`, and remembers it if it arrived or may have. */
export async function sendNoted<T>(
  facts: Pick<SyncFacts, 'sent'>,
  { shown, value }: { shown: Shown; value: string },
  send: () => Promise<T>,
): Promise<T> {
  const note = (): void => {
    const now = Date.now();
    const { resource } = shown;
    const before = recentOf(ownValue(facts.sent, resource), now);
    facts.sent[resource] = [...before, { value: shown.value, at: now }, { value, at: now }];
  };
  try {
    const answer = await send();
    note();
    return answer;
  } catch (error) {
    if (!isRefusal(error)) note();
    throw error;
  }
}

/** What is recent enough to be kept for later runs. */
export function recentSends(sent: SyncFacts['sent'], now = Date.now()): SyncFacts['sent'] {
  const recent = Object.entries(sent).map(([resource, values]) => [resource, recentOf(values, now)] as const);
  return Object.fromEntries(recent.filter(([, values]) => values.length > 0));
}

function recentOf(values: readonly RecentValue[] = [], now: number): RecentValue[] {
  return values.filter(({ at }) => Math.abs(now - at) < RECENT);
}

/** Whether the service surely did nothing: it said so, to the only request that it got. */
function isRefusal(error: unknown): boolean {
  return isAwsError(error) && error.attempts === 1 && error.kind !== 'unreachable' && error.kind !== 'unavailable';
}

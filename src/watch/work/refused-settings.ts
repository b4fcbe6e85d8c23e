import type { ResourceIdentifier } from '../../model/stack.ts';
import type { ResourceResult } from '../../sync/code/sync-resource.ts';
import { ownValue } from '../../support/own-value.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import type { SyncedResource, WatchFailure } from '../loop/results.ts';
import type { WatchedApplication } from '../watched-application.ts';

/** The moment of a refusal: before a deployment, which may be able to set the value, or after it. */
export type RefusalMoment = 'before-deployment' | 'after-deployment';

/** Whether the service refused a direct change for a reason that is not the value. */
export function isRefusedChange(
  { direct }: ApplicationSnapshot,
  { id, refusedSettings, errorKind }: Pick<ResourceResult, 'id' | 'refusedSettings' | 'errorKind'>,
): boolean {
  return refusedSettings === 'deploy' || (errorKind === 'access-denied' && direct.has(id));
}

/**
 * What follows if a service refuses direct changes of a resource: the deployment makes those that the stack does not have.
 * CloudFormation sees no difference where a value is as deployed again, so that one stays as it was set.
 */
export function endRefused(
  { snapshot, notes }: WatchedApplication,
  id: ResourceIdentifier,
  { failure, moment }: { failure: WatchFailure; moment: RefusalMoment },
): SyncedResource {
  const ahead = [...(ownValue(snapshot.ahead, id) ?? []), ...(snapshot.definitionsAhead.get(id) ?? [])];
  const toDeploy = moment === 'before-deployment' ? (snapshot.direct.get(id)?.undeployed ?? []) : [];
  const staying = ahead.filter((name) => !toDeploy.includes(name));
  const stays: WatchFailure =
    staying.length === 0 ? failure : { ...failure, message: describeStaying(id, staying, failure.message) };
  if (toDeploy.length === 0) return { id, outcome: 'failed', failure: stays };
  notes.report('info', `A deployment sets what could not be set directly. ${stays.message}`);
  return { id, outcome: 'blocked', failure: stays };
}

/** Says that settings of a resource are still as they were set directly. */
export function describeStaying(id: ResourceIdentifier, names: readonly string[], why: string): string {
  return `${id} still has what was set directly and could not be set back: ${names.join(', ')}. ${why}`;
}

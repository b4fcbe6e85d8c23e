import type { ResourceIdentifier } from '../../model/stack.ts';
import { isIdle } from './loop-state.ts';
import type { LoopDecision, LoopFacts, LoopState } from './loop-state.ts';
import type { LoopEvent, SyncedResource } from './results.ts';

/** One step of the loop: the state so far, and the decisions so far. */
export interface Turn {
  state: LoopState;
  readonly facts: LoopFacts;
  readonly decisions: LoopDecision[];
}

/** Replaces parts of the state. */
export function set(turn: Turn, change: Partial<LoopState>): void {
  turn.state = { ...turn.state, ...change };
}

/** Reports an event. What begins ends the quiet that a follow-up deployment waits for. */
export function report(turn: Turn, event: LoopEvent): void {
  turn.decisions.push({ do: 'report', event });
  const { isWanted } = turn.state.followUp;
  if (event.type === 'ended') return noteStale(turn, isWanted || event.resource.leavesStaleValues === true);
  // a deployment that failed is tried again like any other
  stopFollowUp(turn, isWanted && event.type !== 'deploy-ended');
}

function noteStale(turn: Turn, isWanted: boolean): void {
  set(turn, { followUp: { ...turn.state.followUp, isWanted } });
}

function stopFollowUp(turn: Turn, isWanted: boolean): void {
  if (turn.state.followUp.isTimed) turn.decisions.push({ do: 'stop-timer', timer: 'follow-up' });
  set(turn, { followUp: { isWanted, isTimed: false } });
}

/** Starts to wait for quiet, if a deployment has to update stale values. */
export function planFollowUp(turn: Turn): void {
  const { followUp, times } = turn.state;
  if (!followUp.isWanted || followUp.isTimed || !isIdle(turn.state, turn.facts)) return;
  set(turn, { followUp: { isWanted: true, isTimed: true } });
  turn.decisions.push({ do: 'start-timer', timer: 'follow-up', ms: times.quiet });
}

/** Plans a retry, each later than the one before; one at a time. */
export function retryLater(turn: Turn): void {
  const { retry, times } = turn.state;
  if (retry.isTimed || turn.state.isEnding) return;
  turn.decisions.push({ do: 'start-timer', timer: 'retry', ms: retry.delay });
  set(turn, { retry: { delay: Math.min(retry.delay * 2, times.longestRetry), isTimed: true } });
}

/** Something worked: the next failure is retried soon. */
export function resetRetry(turn: Turn): void {
  set(turn, { retry: { ...turn.state.retry, delay: turn.state.times.firstRetry } });
}

/** Adds resources to those that have to be synced. `since`: when the change was noticed (ms). */
export function markPending(turn: Turn, ids: Iterable<ResourceIdentifier>, since = turn.facts.now): void {
  const added = [...ids].filter((id) => !turn.state.pending.has(id));
  if (added.length === 0) return;
  set(turn, { pending: new Map([...turn.state.pending, ...added.map((id) => [id, since] as const)]) });
  report(turn, { type: 'queued', ids: added });
}

/** Requests a deployment; a request that is there already keeps its time and its force. */
export function wantDeployment(turn: Turn, force: boolean, since = turn.facts.now): void {
  const wanted = turn.state.deployWanted;
  if (!wanted) report(turn, { type: 'deploy-queued' });
  const order = wanted ?? { since, force };
  set(turn, { deployWanted: { since: Math.min(since, order.since), force: force || order.force } });
}

/** Records the result of a resource. */
export function noteResult(turn: Turn, resource: SyncedResource, ms: number): void {
  const { id, failure, outcome } = resource;
  if (outcome === 'blocked') wantDeployment(turn, true);
  const failed = without(turn.state.failed, [id]);
  set(turn, { failed: failure === undefined ? failed : new Map([...failed, [id, failure]]) });
  set(turn, { updating: new Set([...turn.state.updating].filter((other) => other !== id)) });
  if (failure?.transient) retryLater(turn);
  if (failure === undefined) {
    resetRetry(turn);
    markPending(turn, waitingFor(turn.state, id));
  }
  report(turn, { type: 'ended', resource, ms });
}

function waitingFor({ failed }: LoopState, id: ResourceIdentifier): ResourceIdentifier[] {
  return [...failed].flatMap(([other, { waitsFor }]) => (waitsFor === id ? [other] : []));
}

/** The map without some of its keys. */
export function without<T>(
  map: ReadonlyMap<ResourceIdentifier, T>,
  ids: Iterable<ResourceIdentifier>,
): Map<ResourceIdentifier, T> {
  const rest = new Map(map);
  for (const id of ids) rest.delete(id);
  return rest;
}

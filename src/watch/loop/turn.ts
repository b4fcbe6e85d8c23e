import type { ResourceIdentifier } from '../../model/stack.ts';
import { isIdle, NO_FOLLOW_UP } from './loop-state.ts';
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
  const { followUp } = turn.state;
  if (event.type === 'ended') {
    if (event.resource.leavesStaleValues === true) followWith(turn, { force: true });
    if (event.resource.isAhead === true) followWith(turn, { force: false, since: turn.facts.now - event.ms });
    return;
  }
  if (followUp.isTimed) turn.decisions.push({ do: 'stop-timer', timer: 'follow-up' });
  // stale values after a deployment, or after one that failed, are no reason for another; what was set directly since is
  const isOver = event.type === 'deploy-ended' && followUp.since === undefined;
  const force = followUp.force && event.type !== 'deploy-ended';
  set(turn, { followUp: isOver ? NO_FOLLOW_UP : { ...followUp, force, isTimed: false } });
}

/** Wants a deployment when nothing has changed for a while. */
export function followWith(turn: Turn, { force, since }: { force: boolean; since?: number }): void {
  const { followUp } = turn.state;
  const first = followUp.since ?? since;
  set(turn, { followUp: { ...followUp, isWanted: true, force: followUp.force || force, since: first } });
}

/** The deployment that starts now does everything that one was to follow for. */
export function endFollowUp(turn: Turn): void {
  if (turn.state.followUp.isTimed) turn.decisions.push({ do: 'stop-timer', timer: 'follow-up' });
  set(turn, { followUp: NO_FOLLOW_UP });
}

/** Starts to wait for quiet, if a deployment has to update stale values. */
export function planFollowUp(turn: Turn): void {
  const { followUp, times } = turn.state;
  if (!followUp.isWanted || followUp.isTimed || !isIdle(turn.state, turn.facts)) return;
  set(turn, { followUp: { ...followUp, isTimed: true } });
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
export function wantDeployment(
  turn: Turn,
  force: boolean,
  { since = turn.facts.now, follows = false }: { since?: number | undefined; follows?: boolean } = {},
): void {
  const wanted = turn.state.deployWanted;
  if (!wanted) report(turn, { type: 'deploy-queued' });
  const order = wanted ?? { since, force, follows };
  set(turn, {
    deployWanted: {
      since: Math.min(since, order.since),
      force: force || order.force,
      follows: follows && order.follows === true,
    },
  });
}

/** Wants changed templates and options to be read. */
export function wantReading(turn: Turn): void {
  const { reading } = turn.state;
  if (reading.wanted === undefined) report(turn, { type: 'deploy-queued' });
  set(turn, { reading: { ...reading, wanted: reading.wanted ?? turn.facts.now } });
}

/** Records the result of a resource. */
export function noteResult(turn: Turn, resource: SyncedResource, ms: number): void {
  const { id, failure, outcome } = resource;
  if (outcome === 'blocked') wantDeployment(turn, true);
  const failed = without(turn.state.failed, [id]);
  const others = [...turn.state.blocked].filter((other) => other !== id);
  set(turn, { blocked: new Set(outcome === 'blocked' ? [...others, id] : others) });
  set(turn, { failed: failure === undefined ? failed : new Map([...failed, [id, failure]]) });
  set(turn, { updating: new Set([...turn.state.updating].filter((other) => other !== id)) });
  if (failure?.transient) retryLater(turn);
  if (failure === undefined) {
    resetRetry(turn);
    markPending(turn, waitingFor(turn.state, id));
  }
  report(turn, { type: 'ended', resource, ms });
  if (resource.isAhead === true && turn.state.deployment === undefined) report(turn, { type: 'deploy-queued' });
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

import type { ResourceIdentifier } from '../../model/stack.ts';
import { readyToSync } from './loop-state.ts';
import type { Deployment, LoopDecision, LoopFacts, LoopInput, LoopState, RunningSync } from './loop-state.ts';
import { endDeployment } from './end-deployment.ts';
import type { SyncedResource } from './results.ts';
import { endReading, startFollowUp, startReading } from './reading.ts';
import { ALL_RESOURCES, NO_RESOURCES, planSteps, touchedByAny } from './schedule.ts';
import {
  endFollowUp,
  followWith,
  markPending,
  noteResult,
  planFollowUp,
  report,
  set,
  wantDeployment,
  wantReading,
  without,
} from './turn.ts';
import type { Turn } from './turn.ts';

/*
 * A resource (arrows: inputs; in brackets: decisions):
 *
 *   ┌─────────┐ changed  ┌─────────┐ (sync) ┌──────────┐ committed ┌──────────┐ synced  ┌─────────┐
 *   │ in sync │ ───────▶ │ pending │ ─────▶ │ building │ ────────▶ │ updating │ ──────▶ │ in sync │
 *   └─────────┘          └─────────┘        └──────────┘           └──────────┘         └─────────┘
 *                          ▲     ▲  changed   │      │ failed        │ failed
 *                          │     └─ (abort) ──┘      ▼               │
 *                          │                    ┌────────┐           │
 *                          └─────────────────── │ failed │ ◀─────────┘
 *              changed · timer · `waitsFor`     └────────┘
 *
 * The stack:
 *
 *   ┌──────┐ changed  ┌────────┐ (deploy) ┌───────────┐ committed ┌──────────┐ deployed ┌──────┐
 *   │ idle │ ───────▶ │ queued │ ───────▶ │ preparing │ ────────▶ │ updating │ ───────▶ │ idle │
 *   └──────┘ timer    └────────┘          └───────────┘           └──────────┘          └──────┘
 *                       ▲     ▲  changed    │      │ failed         │ failed
 *                       │     └─ (abort) ───┘      ▼                │
 *                       │                     ┌────────┐            │
 *                       └──────────────────── │ failed │ ◀──────────┘
 *            changed · timer · `retryOn`      └────────┘
 *
 * Where services can set what changed (`setsDirectly`), changed templates are read first. What a service sets is `pending`
 * then and synced before the deployment, which follows when nothing has changed for a while (`followUp`).
 *
 * What changes while it is `updating` is `pending` (or `queued`) at the same time: the next sync follows the update. What
 * needs no update skips `updating`. `planSteps` decides when a sync starts: never beside another one,
 * or a deployment, that changes the same resources, and not while the stack is `queued`.
 */

/** Code syncs that may build at once: few enough for any machine. Syncs that wait for a service do not count. */
const BUILDS_AT_ONCE = 8;
/** After this many aborts in a row a build may finish: files change faster than it can build. */
const MOST_ABORTS = 2;

/** Gives the next state and what to do now. Pure. */
export function advanceLoop(
  state: LoopState,
  input: LoopInput,
  facts: LoopFacts,
): { state: LoopState; decisions: readonly LoopDecision[] } {
  const turn: Turn = { state, facts, decisions: [] };
  receive(turn, input);
  if (!turn.state.isEnding) {
    startWork(turn);
    planFollowUp(turn);
  }
  return { state: turn.state, decisions: turn.decisions };
}

function receive(turn: Turn, input: LoopInput): void {
  switch (input.type) {
    case 'changed':
      return noteChange(turn, input.ids, input.deploy);
    case 'sync-requested':
      return noteChange(turn, input.ids, turn.state.deployFailure !== undefined);
    case 'deploy-requested':
      return wantDeployment(turn, true);
    case 'resources':
      return keepOnly(turn, input.ids);
    case 'committed':
      return noteCommit(turn, input.work);
    case 'synced':
      return endSync(turn, input.work, input.results);
    case 'read':
      return endReading(turn, input.work, input.end);
    case 'deployed':
      return endDeployment(turn, input.end);
    case 'aborted':
      return takeBack(turn, input.work);
    case 'reserved':
      return changeDeployment(turn, { reserved: input.touched });
    case 'waiting':
      return changeDeployment(turn, { isWaiting: true });
    case 'timer':
      if (input.timer === 'retry') return retry(turn);
      return startFollowUp(turn);
    case 'end':
      return set(turn, { isEnding: true });
  }
}

function noteChange(turn: Turn, ids: readonly ResourceIdentifier[], deploy: boolean): void {
  if (deploy && turn.facts.setsDirectly()) wantReading(turn);
  else if (deploy) wantDeployment(turn, false);
  markPending(turn, ids);
  const { deployment, deployFailure } = turn.state;
  if (deployment) changeDeployment(turn, { outdated: new Set([...deployment.outdated, ...ids]) });
  // a deployment that can no longer be aborted looks at these changes when it fails
  const isUpdating = deployment?.abortable === false;
  if (!isUpdating && deployFailure && ids.some(deployFailure.retryOn)) wantDeployment(turn, false);
}

function keepOnly(turn: Turn, ids: ReadonlySet<ResourceIdentifier>): void {
  const { pending, failed, blocked } = turn.state;
  const isGone = (id: ResourceIdentifier): boolean => !ids.has(id);
  set(turn, {
    pending: without(pending, [...pending.keys()].filter(isGone)),
    failed: without(failed, [...failed.keys()].filter(isGone)),
    blocked: new Set([...blocked].filter((id) => !isGone(id))),
  });
}

function noteCommit(turn: Turn, work: number): void {
  const { deployment, syncs, updating } = turn.state;
  if (deployment?.work === work) return changeDeployment(turn, { abortable: false });
  const sync = syncs.find((other) => other.work === work);
  if (!sync) return;
  replaceSync(turn, { ...sync, building: false, abortable: false });
  set(turn, { updating: new Set([...updating, ...sync.ids]) });
  report(turn, { type: 'updating', ids: [...sync.ids] });
}

function endSync(turn: Turn, work: number, results: readonly SyncedResource[]): void {
  const sync = removeSync(turn, work);
  if (!sync) return;
  set(turn, {
    aborts: without(turn.state.aborts, sync.ids),
    direct: new Set([...turn.state.direct].filter((id) => !sync.ids.has(id) || turn.state.pending.has(id))),
  });
  for (const result of results) noteResult(turn, result, turn.facts.now - (sync.since.get(result.id) ?? 0));
}

/** An aborted sync or deployment has done nothing: all that it was started for is still wanted. */
function takeBack(turn: Turn, work: number): void {
  const { deployment, aborts, pending } = turn.state;
  if (deployment?.work === work) {
    const { force, since, follows } = deployment.order;
    if (follows) followWith(turn, { force, since });
    else wantDeployment(turn, force, { since });
    return set(turn, { deployment: undefined });
  }
  const sync = removeSync(turn, work);
  if (!sync) return;
  const ids = [...sync.ids];
  set(turn, {
    pending: new Map([...pending, ...sync.since]),
    aborts: new Map([...aborts, ...ids.map((id) => [id, (aborts.get(id) ?? 0) + 1] as const)]),
  });
  report(turn, { type: 'queued', ids });
}

/** Tries again everything whose failure may have passed. */
function retry(turn: Turn): void {
  set(turn, { retry: { ...turn.state.retry, isTimed: false } });
  const { failed, deployFailure } = turn.state;
  const ids = [...failed].flatMap(([id, { transient }]) => (transient === undefined ? [] : [id]));
  const deploy = deployFailure?.failure.transient;
  const kinds = [...ids.map((id) => failed.get(id)?.transient), deploy].filter((kind) => kind !== undefined);
  turn.decisions.push({ do: 'renew', kinds: new Set(kinds) });
  markPending(turn, ids);
  if (deploy !== undefined) wantDeployment(turn, false);
}

/** Starts and aborts work, as far as the work under way allows. */
function startWork(turn: Turn): void {
  startReading(turn);
  const { deployment, deployWanted, syncs, reading, direct } = turn.state;
  const { facts } = turn;
  const steps = planSteps<RunningSync>({
    pending: new Set(readyToSync(turn.state, facts)),
    running: syncs,
    reading: reading.running !== undefined,
    first: direct,
    deploy: {
      wanted: deployWanted !== undefined,
      running: deployment !== undefined,
      abortable: deployment !== undefined && deployment.abortable && !deployment.isAborted,
      reserved: deployment?.reserved ?? NO_RESOURCES,
    },
    touchedBy: facts.touchedBy,
    limit: BUILDS_AT_ONCE,
  });
  for (const step of steps) {
    if (step.do === 'abort') abortSync(turn, step.sync);
    else if (step.do === 'abort-deploy') abortDeployment(turn);
    else if (step.do === 'deploy') startDeployment(turn);
    else startSync(turn, step.ids);
  }
  clearDeployment(turn);
}

function startSync(turn: Turn, ids: readonly ResourceIdentifier[]): void {
  const { pending, aborts, syncs, nextWork } = turn.state;
  const since = new Map(ids.map((id) => [id, pending.get(id) ?? turn.facts.now]));
  const abortable = ids.every((id) => (aborts.get(id) ?? 0) < MOST_ABORTS);
  const sync: RunningSync = { work: nextWork, ids: new Set(ids), since, building: true, abortable };
  set(turn, { pending: without(pending, ids), syncs: [...syncs, sync], nextWork: nextWork + 1 });
  report(turn, { type: 'building', ids });
  turn.decisions.push({ do: 'sync', work: sync.work, ids });
}

function startDeployment(turn: Turn): void {
  const { deployWanted: order, nextWork: work } = turn.state;
  if (!order) return;
  endFollowUp(turn);
  const begun = { abortable: true, isAborted: false, outdated: new Set<ResourceIdentifier>(), isWaiting: false };
  set(turn, {
    deployWanted: undefined,
    deployment: { work, order, reserved: ALL_RESOURCES, ...begun },
    nextWork: work + 1,
  });
  report(turn, { type: 'deploy-started' });
  turn.decisions.push({ do: 'deploy', work, force: order.force });
}

function abortSync(turn: Turn, sync: RunningSync): void {
  replaceSync(turn, { ...sync, abortable: false });
  turn.decisions.push({ do: 'abort', work: sync.work });
}

function abortDeployment(turn: Turn): void {
  const { deployment } = turn.state;
  if (!deployment) return;
  changeDeployment(turn, { isAborted: true });
  turn.decisions.push({ do: 'abort', work: deployment.work });
}

/** Lets a waiting deployment go on when no sync changes what it reserved. */
function clearDeployment(turn: Turn): void {
  const { deployment, syncs } = turn.state;
  if (!deployment?.isWaiting) return;
  if (syncs.some(({ ids }) => touchedByAny(ids, turn.facts).some(deployment.reserved))) return;
  changeDeployment(turn, { isWaiting: false });
  turn.decisions.push({ do: 'clear' });
}

function changeDeployment(turn: Turn, change: Partial<Deployment>): void {
  const { deployment } = turn.state;
  if (deployment) set(turn, { deployment: { ...deployment, ...change } });
}

function replaceSync(turn: Turn, sync: RunningSync): void {
  set(turn, { syncs: turn.state.syncs.map((other) => (other.work === sync.work ? sync : other)) });
}

function removeSync(turn: Turn, work: number): RunningSync | undefined {
  const sync = turn.state.syncs.find((other) => other.work === work);
  set(turn, { syncs: turn.state.syncs.filter((other) => other !== sync) });
  return sync;
}

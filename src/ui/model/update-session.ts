import { describeStatus } from '../../console/stack-status-words.ts';
import type { SyncEvent } from '../../console/reporter.ts';
import type { TimedEvent } from '../../console/event-history.ts';
import type { SessionFacts } from '../commands.ts';
import { addNames, addSpan, openRecord } from './records.ts';
import { newResource } from './session-state.ts';
import type { ResourceView, SessionState } from './session-state.ts';
import { spanOfCall, spanOfStep } from './spans.ts';

/** Messages to keep. */
const MOST_NOTES = 50;
/** Shorter waits are no part of the timeline (ms). */
const SHORT = 2;

/** Applies an event. The server and each page do the same with the same events, so that both have the same session. */
export function updateSession(session: SessionState, { at, event }: TimedEvent): void {
  switch (event.type) {
    case 'watch-resources':
      session.stackName = event.stackName;
      session.resources = new Map(event.ids.map((id) => [id, session.resources.get(id) ?? newResource(id, at)]));
      for (const id of session.busy) if (!session.resources.has(id)) session.busy.delete(id);
      return;
    case 'watch-ready':
      session.isReady = true;
      return;
    case 'watch-change':
      session.lastChange = { at, files: event.files };
      addNames(openRecord(session.records, at).files, event.files);
      return;
    case 'resource-state':
      return updateResource(session, event, at);
    case 'stack-state':
      return updateStack(session, event, at);
    case 'stack-event':
      return noteStackEvent(session, event.event, at);
    case 'outputs':
      session.outputs = event.outputs;
      session.endpoints = event.endpoints;
      session.stackName = event.stackName;
      return;
    case 'note':
      if (event.level === 'debug') return;
      session.notes.push({ at, level: event.level, text: event.text, hint: event.hint });
      if (session.notes.length > MOST_NOTES) session.notes.shift();
      return;
    case 'watch-stopped':
      session.ended = { goingOn: event.goingOn };
      return;
    default:
      updateWork(session, event, at);
  }
}

/** Applies new facts. They name the stack before the first event that does: a template may have to be corrected first. */
export function updateFacts(session: SessionState, facts: SessionFacts): void {
  session.facts = facts;
  session.stackName ||= facts.stackName;
}

/** Steps and their parts. */
function updateWork(session: SessionState, event: SyncEvent, at: number): void {
  switch (event.type) {
    case 'step-started': {
      const { kind, label, ids = [], totalBytes } = event;
      session.steps.set(event.id, { kind, label, ids, totalBytes });
      return;
    }
    case 'step-activity': {
      const step = session.steps.get(event.id);
      if (step) step.text = event.text;
      return;
    }
    case 'step-finished': {
      const step = session.steps.get(event.id);
      session.steps.delete(event.id);
      if (step) addSpan(session.records, spanOfStep({ ...step, ids: idsOf(session, step) }, event, at));
      return;
    }
    case 'span': {
      const ids = idsOf(session, event);
      const label = `${event.kind} ${event.label}`;
      addSpan(session.records, { kind: event.kind, label, ids, start: at - event.ms, end: at });
      return;
    }
    case 'api-call': {
      const span = spanOfCall(event, at);
      if (span) addSpan(session.records, span);
      return;
    }
    case 'phase':
      addSpan(session.records, { kind: 'other', label: event.name, ids: [], start: at - event.ms, end: at });
      return;
    default:
  }
}

function updateResource(
  session: SessionState,
  event: Extract<SyncEvent, { type: 'resource-state' }>,
  at: number,
): void {
  const { id, state, detail, changed, ms = 0, failure, problems = [] } = event;
  const before = session.resources.get(id) ?? newResource(id, at);
  const record = openRecord(session.records, at);
  addNames(record.ids, [id]);
  const waited = at - before.since;
  if (before.state === 'waiting' && before.busySince !== undefined && waited > SHORT)
    addSpan(session.records, { kind: 'queue', label: 'waits for other work', ids: [id], start: before.since, end: at });
  const isOver = state === 'in-sync' || state === 'failed';
  const isSent = state === 'in-sync' && changed === true;
  session.resources.set(id, {
    ...before,
    state,
    since: at,
    busySince: isOver ? undefined : (before.busySince ?? at),
    // until the next result, the reason of the last one helps
    failure: state === 'failed' ? failure : state === 'in-sync' ? undefined : before.failure,
    problems: state === 'in-sync' ? problems : before.problems,
    lastSync: isSent ? { at, ms, detail } : before.lastSync,
    undeployed: isSent ? [...new Set([...before.undeployed, ...(detail ?? 'code').split(', ')])] : before.undeployed,
    activity: undefined,
  });
  if (isSent) addNames(record.changed, [id]);
  if (isOver) record.failed = record.failed.filter((one) => one !== id);
  if (state === 'failed') addNames(record.failed, [id]);
  if (isOver) session.busy.delete(id);
  else session.busy.add(id);
  if (isOver) closeIfQuiet(session, at);
}

function updateStack(session: SessionState, event: Extract<SyncEvent, { type: 'stack-state' }>, at: number): void {
  const { state, changed, ms = 0, failure } = event;
  const before = session.stack;
  const record = openRecord(session.records, at);
  if (before.state === 'preparing' || before.state === 'updating') {
    const kind = before.state === 'updating' ? 'deploy' : 'other';
    const label = before.state === 'updating' ? 'CloudFormation updates the stack' : 'prepare the deployment';
    addSpan(session.records, { kind, label, ids: [], start: before.since, end: at, failed: state === 'failed' });
  }
  const isDeployed = state === 'in-sync' && changed === true;
  session.stack = {
    state,
    since: at,
    failure: state === 'failed' ? failure : state === 'in-sync' ? undefined : before.failure,
    lastSync: isDeployed ? { at, ms } : before.lastSync,
  };
  if (state !== 'in-sync' && state !== 'failed') return;
  record.deploymentFailed = state === 'failed';
  session.deploying.clear();
  for (const row of session.resources.values()) {
    const undeployed = isDeployed ? [] : row.undeployed;
    if (row.activity !== undefined || undeployed !== row.undeployed)
      session.resources.set(row.id, { ...row, undeployed, activity: undefined });
  }
  record.deployed ||= isDeployed;
  closeIfQuiet(session, at);
}

/** Ends the running sync when nothing is under way. After a failed deployment, resources may wait for the next one. */
function closeIfQuiet({ records, stack, busy, resources }: SessionState, at: number): void {
  const record = records.at(-1);
  if (record === undefined || record.end !== undefined) return;
  if (stack.state !== 'in-sync' && stack.state !== 'failed') return;
  const isWaiting = (id: string): boolean => resources.get(id)?.state === 'waiting';
  if (busy.size > 0 && !(stack.state === 'failed' && [...busy].every(isWaiting))) return;
  record.end = at;
}

function noteStackEvent(
  session: SessionState,
  event: Extract<SyncEvent, { type: 'stack-event' }>['event'],
  at: number,
): void {
  const { stackPath, logicalId, status, reason } = event;
  const name = stackPath === '' ? logicalId : `${stackPath}/${logicalId}`;
  // SAM appends ten hex digits to the logical IDs of layers
  const row = session.resources.get(name) ?? session.resources.get(name.replace(/[0-9a-f]{10}$/, ''));
  const { busy, word } = describeStatus(status);
  if (row) session.resources.set(row.id, { ...row, activity: busy ? word : undefined });
  const since = session.deploying.get(name);
  if (busy) {
    if (since === undefined) session.deploying.set(name, at);
    return;
  }
  session.deploying.delete(name);
  if (since === undefined) return;
  const failed = status.includes('FAILED');
  const label = `${event.resourceType}: ${status}`;
  const ids = [row?.id ?? name];
  addSpan(session.records, { kind: 'deploy', label, ids, start: since, end: at, detail: reason, failed });
}

/** Steps without resources, such as uploads, are labelled `A`, `the image of A` or `the dependencies of A`. */
function idsOf(session: SessionState, step: { ids?: readonly string[] | undefined; label: string }): readonly string[] {
  if (step.ids !== undefined && step.ids.length > 0) return step.ids;
  const id = step.label.replace(/^the \w+ of /, '');
  return session.resources.has(id) ? [id] : [];
}

/** What the resource does now, in a word or two. */
export function activityOf({ steps }: SessionState, { id, state, activity }: ResourceView): string | undefined {
  if (state === 'in-sync' || state === 'failed') return activity;
  for (const { ids, kind, text } of steps.values())
    if (ids.includes(id)) return text ?? (kind === 'sync' ? undefined : `${kind.replace(/e$/, '')}ing`);
  return activity;
}

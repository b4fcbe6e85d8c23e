import { formatProblem } from '../errors.ts';
import type { StackEventRow, SyncEvent, StepKind } from './reporter.ts';
import { describeStatus } from './stack-status-words.ts';
import type { StatusWord } from './stack-status-words.ts';
import type { ResourceState, StackState } from './watch-events.ts';

/** A resource as the view shows it. Times in ms of the view's clock. */
export interface WatchedRow {
  id: string;
  state: ResourceState;
  /** Start of the state. */
  since: number;
  /** End and duration of its last sync. */
  lastSync: { at: number; ms: number } | undefined;
  /** First line of its failure. */
  failure: string | undefined;
  /** Why it cannot run although it is in sync. */
  problem: string | undefined;
  /** Its current step, if known. */
  step: string | undefined;
  /** What CloudFormation does with it during a deployment. `since`: of the model's clock (ms). */
  deploying: (StatusWord & { since: number; reason: string | undefined }) | undefined;
}

/** A running step. */
interface WatchedStep {
  kind: StepKind;
  label: string;
  ids: readonly string[];
  since: number;
  /** The last line that its tool printed. */
  line: string | undefined;
  /** What it does and how far it is, if it reports that. */
  activity?: string | undefined;
}

/** The state of the whole view. */
export interface WatchModel {
  stackName: string;
  stack: {
    state: StackState;
    since: number;
    lastSync: { at: number; ms: number } | undefined;
    failure: string | undefined;
  };
  rows: Map<string, WatchedRow>;
  /** Running steps. */
  steps: Map<string, WatchedStep>;
  /** Resources CloudFormation is working on. */
  inProgress: Map<string, StackEventRow>;
  ready: boolean;
  logs: boolean;
}

/** Creates the model of a view without events. */
export function emptyWatchModel(now: number): WatchModel {
  return {
    stackName: '',
    stack: { state: 'queued', since: now, lastSync: undefined, failure: undefined },
    rows: new Map(),
    steps: new Map(),
    inProgress: new Map(),
    ready: false,
    logs: false,
  };
}

/** Applies an event to the model. */
export function updateWatchModel(model: WatchModel, event: SyncEvent, now: number): void {
  switch (event.type) {
    case 'watch-resources':
      model.stackName = event.stackName;
      model.rows = new Map(event.ids.map((id) => [id, model.rows.get(id) ?? newRow(id, now)]));
      return;
    case 'watch-ready':
      model.ready = true;
      return;
    case 'watch-logs':
      model.logs = event.on;
      return;
    case 'resource-state': {
      const row = model.rows.get(event.id);
      if (!row) return;
      row.failure = event.state === 'failed' ? firstLine(event.failure?.message) : row.failure;
      if (event.state === 'in-sync') {
        row.failure = undefined;
        const [problem] = event.problems ?? [];
        row.problem = problem && formatProblem(problem);
      }
      if (event.state === 'in-sync' && event.changed) row.lastSync = { at: now, ms: event.ms ?? 0 };
      row.state = event.state;
      row.since = now;
      row.deploying = undefined;
      return;
    }
    case 'stack-state': {
      const { stack } = model;
      stack.state = event.state;
      stack.since = now;
      if (event.state === 'failed') stack.failure = firstLine(event.failure?.message);
      if (event.state === 'in-sync') stack.failure = undefined;
      if (event.state === 'in-sync' && event.changed) stack.lastSync = { at: now, ms: event.ms ?? 0 };
      if (event.state === 'in-sync' || event.state === 'failed') {
        model.inProgress.clear();
        for (const row of model.rows.values()) row.deploying = undefined;
      }
      return;
    }
    case 'step-started':
      model.steps.set(event.id, { ...event, ids: event.ids ?? [], since: now, line: undefined });
      return;
    case 'step-activity': {
      const step = model.steps.get(event.id);
      if (step) step.activity = event.text;
      return;
    }
    case 'tool-output': {
      const step = model.steps.get(event.id);
      if (step) step.line = event.line;
      return;
    }
    case 'step-finished':
      model.steps.delete(event.id);
      return;
    case 'stack-event':
      return noteStackEvent(model, event.event, now);
    default:
  }
}

function noteStackEvent(model: WatchModel, event: StackEventRow, now: number): void {
  const { stackPath, logicalId, status, reason } = event;
  const name = `${stackPath}/${logicalId}`;
  const described = describeStatus(status);
  if (described.busy) model.inProgress.set(name, event);
  else model.inProgress.delete(name);
  const row = rowOf(model, stackPath === '' ? logicalId : name);
  // CloudFormation reports the same status again when it begins to create the resource
  const since = row?.deploying?.word === described.word ? row.deploying.since : now;
  if (row) row.deploying = { ...described, since, reason: firstLine(reason) };
}

/** Returns the row of a resource of the stack; SAM appends ten hex digits to the logical IDs of layers. */
export function rowOf(model: WatchModel, id: string): WatchedRow | undefined {
  return model.rows.get(id) ?? model.rows.get(id.replace(/[0-9a-f]{10}$/, ''));
}

/** Returns the running step of a resource. */
export function currentStep(model: WatchModel, id: string): string | undefined {
  const step = runningStep(model, id);
  if (step?.kind === 'build') return step.line?.trim() || undefined;
  return step?.kind === 'upload' ? 'uploading' : undefined;
}

/** Returns since when the resource is built, also for a deployment; undefined: it is not. */
export function buildingSince(model: WatchModel, row: WatchedRow): number | undefined {
  if (row.state === 'building') return row.since;
  const step = row.state === 'waiting' ? runningStep(model, row.id) : undefined;
  return step?.kind === 'build' ? step.since : undefined;
}

function runningStep(model: WatchModel, id: string): WatchedStep | undefined {
  return [...model.steps.values()].find(({ ids }) => ids.includes(id));
}

function newRow(id: string, now: number): WatchedRow {
  return {
    id,
    state: 'waiting',
    since: now,
    lastSync: undefined,
    failure: undefined,
    problem: undefined,
    step: undefined,
    deploying: undefined,
  };
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n', 1)[0];
}

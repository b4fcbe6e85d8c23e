import { formatProblem } from '../errors.ts';
import type { StackEventRow, SyncEvent, StepKind } from './reporter.ts';
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
      return;
    }
    case 'stack-state': {
      const { stack } = model;
      stack.state = event.state;
      stack.since = now;
      if (event.state === 'failed') stack.failure = firstLine(event.failure?.message);
      if (event.state === 'in-sync') stack.failure = undefined;
      if (event.state === 'in-sync' && event.changed) stack.lastSync = { at: now, ms: event.ms ?? 0 };
      if (event.state === 'in-sync' || event.state === 'failed') model.inProgress.clear();
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
    case 'stack-event': {
      const { stackPath, logicalId, status } = event.event;
      const name = `${stackPath}/${logicalId}`;
      if (status.endsWith('_IN_PROGRESS')) model.inProgress.set(name, event.event);
      else model.inProgress.delete(name);
      return;
    }
    default:
  }
}

/** Returns the running step of a resource. */
export function currentStep(model: WatchModel, id: string): string | undefined {
  for (const { ids, kind, line } of model.steps.values()) {
    if (!ids.includes(id)) continue;
    if (kind === 'build') return line?.trim() || undefined;
    return kind === 'upload' ? 'uploading' : undefined;
  }
  return undefined;
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
  };
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n', 1)[0];
}

import type { SyncEvent } from '../../console/reporter.ts';

/** What time was spent on; names the colour of the span. */
type TimeKind =
  | 'queue'
  | 'hash'
  | 'build'
  | 'zip'
  | 'upload'
  | 'call'
  | 'wait'
  | 'check'
  | 'update'
  | 'deploy'
  | 'other';

/** Work from one time to another (ms since the epoch). */
export interface Span {
  kind: TimeKind;
  label: string;
  /** Resources it worked for; none: the stack, or see `target`. */
  ids: readonly string[];
  /** Physical ID of what a call is about. */
  target?: string | undefined;
  start: number;
  end: number;
  detail?: string | undefined;
  failed?: boolean | undefined;
}

/** Calls of the page itself, and of log lines: no part of a sync. */
const NOT_OF_SYNCS =
  /^(?:FilterLogEvents|Invoke|StartExecution|StartSyncExecution|DescribeExecution|GetExecutionHistory)$/;

type Step = Extract<SyncEvent, { type: 'step-started' }>;

const STEP_KINDS: Readonly<Record<Step['kind'], TimeKind>> = {
  build: 'build',
  upload: 'upload',
  sync: 'update',
  create: 'deploy',
  update: 'deploy',
  delete: 'deploy',
  start: 'other',
  'set-up': 'other',
};

/** The span of a call; undefined: it is no part of a sync. */
export function spanOfCall(call: Extract<SyncEvent, { type: 'api-call' }>, at: number): Span | undefined {
  const { service, operation, ms, waitedMs = 0, attempts, error, target } = call;
  if (NOT_OF_SYNCS.test(operation)) return undefined;
  const facts = [
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(waitedMs >= 100 ? [`waited ${Math.round(waitedMs)} ms for quotas`] : []),
    ...(error === undefined ? [] : [error]),
  ];
  const detail = facts.join(', ') || undefined;
  const label = `${service} ${operation}`;
  return { kind: 'call', label, ids: [], target, start: at - ms, end: at, detail, failed: error !== undefined };
}

/** The span of a finished step. */
export function spanOfStep(
  step: Pick<Step, 'kind' | 'label' | 'ids' | 'totalBytes'>,
  end: Extract<SyncEvent, { type: 'step-finished' }>,
  at: number,
): Span {
  const { kind, label, ids = [], totalBytes } = step;
  const { outcome, ms, detail } = end;
  const facts = [
    ...(totalBytes === undefined ? [] : [`${totalBytes} B`]),
    ...(detail === undefined ? [] : [detail]),
    ...(outcome === 'unchanged' || outcome === 'aborted' ? [outcome] : []),
  ];
  return {
    kind: STEP_KINDS[kind],
    label: `${kind === 'sync' ? 'update' : kind} ${label}`,
    ids,
    start: at - ms,
    end: at,
    detail: facts.join(', ') || undefined,
    failed: outcome === 'failed',
  };
}

/** Whether the span worked for the resource: by its identifier, or by its name in the cloud. */
export function isOf(span: Span, id: string, physicalId: string | undefined): boolean {
  if (span.ids.includes(id)) return true;
  if (span.ids.length > 0 || span.target === undefined) return false;
  return physicalId !== undefined && (span.target === physicalId || physicalId.endsWith(`:${span.target}`));
}

import type { WatchEvent } from './watch-events.ts';

/** What a step does with the object that its label names, e.g. `create` with `stack hello-world`. */
export type StepKind = 'build' | 'upload' | 'sync' | 'create' | 'update' | 'delete' | 'start' | 'set-up';

/** A part of a step: sources are hashed, a folder is zipped, a service applies an update, a built function is checked. */
export type SpanKind = 'hash' | 'zip' | 'wait' | 'check';

/** A stack event as CloudFormation returns it. */
export interface StackEventRow {
  /** '' for the root stack, else `Child/Grand`. */
  stackPath: string;
  logicalId: string;
  resourceType: string;
  status: string;
  reason?: string | undefined;
  timestamp: Date;
}

/** An output of the deployed stack. */
export interface StackOutput {
  key: string;
  value: string;
  /** The value with addresses that work on this machine, where they are others (`--local`). */
  local?: string | undefined;
  description?: string | undefined;
}

/** An address of the application that accepts requests. */
export interface Endpoint {
  /** The function that handles them, or the API. */
  resource: string;
  /** `GET`, or `ANY`. */
  method: string;
  url: string;
  /** Requests must be signed with AWS credentials. */
  signed?: boolean | undefined;
}

/**
 * Everything the program reports, as data. Renderers (`lines.ts`, `live-view.ts`, `watch-*.ts`) turn it into text;
 * nothing else in the program writes to stdout or stderr.
 */
export type SyncEvent =
  /** A sentence for the user. `debug` is shown with `--debug` only. */
  | { type: 'note'; level: 'debug' | 'info' | 'success' | 'warning' | 'error'; text: string; hint?: string | undefined }
  /** A step starts. `id` is unique in a run, e.g. `build:HelloFunction`. */
  | {
      type: 'step-started';
      kind: StepKind;
      id: string;
      label: string;
      totalBytes?: number | undefined;
      /** Identifiers of the resources it works for. */
      ids?: readonly string[] | undefined;
    }
  /** Bytes sent so far, for uploads. */
  | { type: 'step-progress'; id: string; bytes: number }
  /** What a long step does now and how far it is, e.g. `installing packages (12 of 33)`. Pipes show only `milestone`s. */
  | { type: 'step-activity'; id: string; text: string; milestone: boolean }
  /** A step ended. `unchanged`: there was nothing to do. `aborted`: its result is not needed any more. `detail` is a few words, e.g. `pip, 12 packages`. */
  | {
      type: 'step-finished';
      id: string;
      outcome: 'done' | 'unchanged' | 'failed' | 'aborted';
      ms: number;
      detail?: string | undefined;
    }
  /**
   * A code sync of a resource succeeded, also if the command names the resource and nothing had to be sent. `flow`: `sync` in
   * the table of resource kinds.
   */
  | { type: 'code-synced'; id: string; flow: string }
  /** A line that a tool printed. Shown with `--debug` and when its step fails. */
  | { type: 'tool-output'; id: string; line: string }
  | { type: 'stack-event'; event: StackEventRow }
  /** What the stack offers: its outputs, and the addresses of its APIs and functions. */
  | { type: 'outputs'; stackName: string; outputs: readonly StackOutput[]; endpoints: readonly Endpoint[] }
  /** A service call ended, for `--debug`. `waitedMs` of its time it waited for the account's quotas. */
  | {
      type: 'api-call';
      service: string;
      operation: string;
      ms: number;
      waitedMs?: number;
      attempts: number;
      /** What the call is about: the name of a function, a stack, the key of an object … */
      target?: string | undefined;
      error?: string | undefined;
    }
  /** A part of a step ended, for timelines and `--debug`. */
  | { type: 'span'; kind: SpanKind; label: string; ids?: readonly string[] | undefined; ms: number }
  /** A phase ended, for `--debug` timings. */
  | { type: 'phase'; name: string; ms: number }
  /** The one JSON document of `--output json`. */
  | { type: 'result'; document: unknown }
  | WatchEvent;

/** Receives events. Passed as an argument, never a singleton. */
export interface Reporter {
  report(event: SyncEvent): void;
}

/** Reports a note. */
export function note(
  reporter: Reporter,
  level: Extract<SyncEvent, { type: 'note' }>['level'],
  text: string,
  hint?: string,
): void {
  reporter.report({ type: 'note', level, text, hint });
}

/** Runs `work` as a step: reports its start, end, duration and failure. */
export async function step<T>(
  reporter: Reporter,
  start: { kind: StepKind; id: string; label: string; totalBytes?: number },
  work: () => Promise<{ value: T; outcome?: 'done' | 'unchanged'; detail?: string }>,
): Promise<T> {
  const started = performance.now();
  reporter.report({ type: 'step-started', ...start });
  try {
    const { value, outcome = 'done', detail } = await work();
    reporter.report({ type: 'step-finished', id: start.id, outcome, ms: performance.now() - started, detail });
    return value;
  } catch (error) {
    reporter.report({ type: 'step-finished', id: start.id, outcome: 'failed', ms: performance.now() - started });
    throw error;
  }
}

/** Runs `work` and reports how long it took, also if it fails. */
export async function timed<T>(
  reporter: Reporter,
  span: { kind: SpanKind; label: string; ids?: readonly string[] | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    reporter.report({ type: 'span', ...span, ms: performance.now() - started });
  }
}

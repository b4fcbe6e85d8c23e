import type { WatchEvent } from './watch-events.ts';

/** What a step works on; a renderer groups by it. */
export type StepKind = 'build' | 'upload' | 'deploy' | 'sync' | 'setup';

/** A row of the stack's events as CloudFormation gives them. */
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
  description?: string | undefined;
}

/**
 * Everything that the program tells the outside, as data. Renderers (`live.ts`, `plain.ts`) turn it into text;
 * nothing else in the program writes to stdout or stderr.
 */
export type SyncEvent =
  /** A sentence for the user. `debug` is shown with `--debug` only. */
  | { type: 'note'; level: 'debug' | 'info' | 'success' | 'warning' | 'error'; text: string; hint?: string | undefined }
  /** A piece of work begins. `id` is unique in a run, e.g. `build:HelloFunction`. */
  | {
      type: 'step-started';
      kind: StepKind;
      id: string;
      label: string;
      totalBytes?: number | undefined;
      /** Identifiers of the resources that it is for. */
      ids?: readonly string[] | undefined;
    }
  /** Bytes sent so far, for uploads. */
  | { type: 'step-progress'; id: string; bytes: number }
  /** It ended: `done`, `unchanged` (nothing had to be done) or `failed`. `detail` is a few words, e.g. `pip, 12 packages`. */
  | {
      type: 'step-finished';
      id: string;
      outcome: 'done' | 'unchanged' | 'failed';
      ms: number;
      detail?: string | undefined;
    }
  /** What a tool that we run printed, line by line, shown with `--debug` and when its step fails. */
  | { type: 'tool-output'; id: string; line: string }
  | { type: 'stack-event'; event: StackEventRow }
  | { type: 'outputs'; stackName: string; outputs: StackOutput[] }
  /** A service call ended, for `--debug`. */
  | { type: 'api-call'; service: string; operation: string; ms: number; attempts: number; error?: string | undefined }
  /** A phase ended, for `--debug` timings. */
  | { type: 'phase'; name: string; ms: number }
  /** The one JSON document of `--output json`. */
  | { type: 'result'; document: unknown }
  | WatchEvent;

/** Where events go. Passed as an argument, never a singleton. */
export interface Reporter {
  report(event: SyncEvent): void;
}

/** Shorthands that read well at the call site. */
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
  about: { kind: StepKind; id: string; label: string; totalBytes?: number },
  work: () => Promise<{ value: T; outcome?: 'done' | 'unchanged'; detail?: string }>,
): Promise<T> {
  const started = performance.now();
  reporter.report({ type: 'step-started', ...about });
  try {
    const { value, outcome = 'done', detail } = await work();
    reporter.report({ type: 'step-finished', id: about.id, outcome, ms: performance.now() - started, detail });
    return value;
  } catch (error) {
    reporter.report({ type: 'step-finished', id: about.id, outcome: 'failed', ms: performance.now() - started });
    throw error;
  }
}

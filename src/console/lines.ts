import { formatBytes, formatDuration } from './format.ts';
import { offerText } from './offer.ts';
import type { StackEventRow, StepKind, SyncEvent } from './reporter.ts';
import type { Look, Style } from './style.ts';

/** A permanent line and its stream: results go to stdout, everything else to stderr. */
export interface Line {
  stream: 'stdout' | 'stderr';
  text: string;
}

/** The verb of each kind of step; the step's label is its object. */
const VERBS: Readonly<Record<StepKind, { base: string; doing: string; done: string }>> = {
  build: { base: 'build', doing: 'Building', done: 'Built' },
  upload: { base: 'upload', doing: 'Uploading', done: 'Uploaded' },
  sync: { base: 'sync', doing: 'Syncing', done: 'Synced' },
  create: { base: 'create', doing: 'Creating', done: 'Created' },
  update: { base: 'update', doing: 'Updating', done: 'Updated' },
  delete: { base: 'delete', doing: 'Deleting', done: 'Deleted' },
  start: { base: 'start', doing: 'Starting', done: 'Started' },
  'set-up': { base: 'set up', doing: 'Setting up', done: 'Set up' },
};

/** Describes a running step and how far it is, e.g. `Building HelloFunction`. */
export function doing(step: Pick<StepStarted, 'kind' | 'label'> & { activity?: string | undefined }): string {
  return `${VERBS[step.kind].doing} ${step.label}${step.activity === undefined ? '' : `: ${step.activity}`}`;
}

/** The event that starts a step; the event that ends it refers to it by `id`. */
export type StepStarted = Extract<SyncEvent, { type: 'step-started' }>;

const err = (text: string): Line[] => [{ stream: 'stderr', text }];

/** Settings of the line renderer. */
export interface LineOptions {
  debug: boolean;
  outStyle: Style;
  errStyle: Style;
  /** A live view shows running work: only finished work becomes a line. */
  live?: boolean | undefined;
  /** An error and its hint are one line: editors that read stderr show only the last one. */
  joinHints?: boolean | undefined;
  /** Columns of the terminal that stdout writes to, if it is one. */
  columns?: (() => number | undefined) | undefined;
  /** Makes a text on stdout a link; undefined: the terminal has no links. */
  link?: ((text: string, url: string) => string) | undefined;
}

/** Turns events into permanent lines, the same for pipes and terminals. Keeps only the running steps as state. */
export function createLines(options: LineOptions): (event: SyncEvent) => Line[] {
  const { debug, errStyle } = options;
  const steps = new Map<string, StepStarted>();
  const debugLine = (text: string): Line[] => (debug ? err(errStyle('dim', text)) : []);

  return (event) => {
    switch (event.type) {
      case 'note':
        return noteLines(event, options);
      case 'step-started':
        steps.set(event.id, event);
        return debugLine(doing(event));
      case 'step-progress':
        return [];
      case 'step-activity': {
        const started = steps.get(event.id);
        return started && event.milestone && !options.live ? err(doing({ ...started, activity: event.text })) : [];
      }
      case 'step-finished': {
        const started = steps.get(event.id);
        steps.delete(event.id);
        return started ? finishedLines(started, event, { debug, style: errStyle }) : [];
      }
      case 'tool-output':
        return debugLine(`  ${event.id.replace(/^build:/, '')} | ${event.line}`);
      case 'stack-event':
        return options.live && event.event.status.endsWith('_IN_PROGRESS')
          ? []
          : err(stackEventLine(event.event, errStyle));
      case 'outputs':
        return offerLines(event, options);
      case 'api-call':
        return debugLine(callLine(event));
      case 'span':
        return debugLine(`  ${event.kind} ${event.label}: ${formatDuration(event.ms)}`);
      case 'phase':
        return debugLine(`${event.name}: ${formatDuration(event.ms)}`);
      case 'result':
        return [{ stream: 'stdout', text: JSON.stringify(event.document, undefined, 2) }];
      default:
        // watch-lines.ts renders the events of --watch
        return [];
    }
  };
}

function callLine(call: Extract<SyncEvent, { type: 'api-call' }>): string {
  const { service, operation, ms, waitedMs = 0, attempts, error } = call;
  const waited = waitedMs < 100 ? '' : ` (waited ${formatDuration(waitedMs)})`;
  const outcome = `${attempts > 1 ? `, ${attempts} attempts` : ''}${error ? `, ${error}` : ''}`;
  return `  ${service}.${operation} ${formatDuration(ms)}${waited}${outcome}`;
}

function noteLines(
  note: Extract<SyncEvent, { type: 'note' }>,
  { debug, errStyle: style, joinHints }: LineOptions,
): Line[] {
  if (note.level === 'debug' && !debug) return [];
  const looks: Record<typeof note.level, Look | undefined> = {
    debug: 'dim',
    info: undefined,
    success: 'green',
    warning: 'yellow',
    error: 'red',
  };
  const prefix = note.level === 'warning' ? 'Warning: ' : note.level === 'error' ? 'Error: ' : '';
  const look = looks[note.level];
  if (note.level === 'error' && note.hint && joinHints)
    return err(style('red', prefix + withHint(note.text, note.hint)));
  const text = prefix + note.text;
  const lines: Line[] = [{ stream: 'stderr', text: look ? style(look, text) : text }];
  if (note.hint) lines.push({ stream: 'stderr', text: `  ${note.hint.replaceAll('\n', '\n  ')}` });
  return lines;
}

function withHint(text: string, hint: string): string {
  const separator = /[.:!?]$/.test(text) ? ' ' : '. ';
  return text + separator + hint.replaceAll(/\s*\n\s*/g, ' ');
}

function finishedLines(
  started: StepStarted,
  event: Extract<SyncEvent, { type: 'step-finished' }>,
  options: { debug: boolean; style: Style },
): Line[] {
  if (event.outcome === 'aborted') return [];
  // the summary counts unchanged resources
  if (event.outcome === 'unchanged' && !options.debug) return [];
  const size = started.totalBytes === undefined ? '' : `${formatBytes(started.totalBytes)}, `;
  const detail = event.detail ? `${event.detail}, ` : '';
  const facts = `(${size}${detail}${formatDuration(event.ms)})`;
  const line = (look: Look, verb: string): Line[] => [
    { stream: 'stderr', text: `${options.style(look, verb)} ${started.label} ${options.style('dim', facts)}` },
  ];
  const { base, done } = VERBS[started.kind];
  if (event.outcome === 'failed') return line('red', `Could not ${base}`);
  return line('green', event.outcome === 'unchanged' ? 'Unchanged' : done);
}

function stackEventLine(event: StackEventRow, style: Style): string {
  const look: Look =
    event.status.includes('FAILED') || event.status.includes('ROLLBACK')
      ? 'red'
      : event.status.endsWith('_COMPLETE')
        ? 'green'
        : 'yellow';
  const name = event.stackPath === '' ? event.logicalId : `${event.stackPath}/${event.logicalId}`;
  const reason = event.reason ? `  ${event.reason}` : '';
  return `${style(look, event.status.padEnd(18))}  ${name.padEnd(28)}  ${style('dim', event.resourceType)}${reason}`;
}

function offerLines(
  event: Extract<SyncEvent, { type: 'outputs' }>,
  { outStyle, link = (text) => text, columns }: LineOptions,
): Line[] {
  const text = offerText(event.stackName, event, { style: outStyle, link, columns: columns?.() });
  return text === '' ? [] : [{ stream: 'stdout', text }];
}

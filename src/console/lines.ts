import { formatBytes, formatDuration, formatTable } from './format.ts';
import type { StackEventRow, StepKind, SyncEvent } from './reporter.ts';
import type { Look, Style } from './style.ts';
import { textWidth } from './text-width.ts';

/** A line to print for good, and where: results go to stdout, everything else to stderr. */
export interface Line {
  stream: 'stdout' | 'stderr';
  text: string;
}

/** What is done with the thing that a step's label names; steps of other kinds have a label that says it all. */
const VERBS: Partial<Record<StepKind, { doing: string; done: string }>> = {
  build: { doing: 'Building', done: 'Built' },
  upload: { doing: 'Uploading', done: 'Uploaded' },
  sync: { doing: 'Syncing', done: 'Synced' },
};

/** What a step is doing, e.g. `Building HelloFunction`. */
export function doing(step: Pick<StepStarted, 'kind' | 'label'>): string {
  const verb = VERBS[step.kind];
  return verb ? `${verb.doing} ${step.label}` : step.label;
}

/** A step's start, which its end refers to. */
export type StepStarted = Extract<SyncEvent, { type: 'step-started' }>;

const err = (text: string): Line[] => [{ stream: 'stderr', text }];

/** How lines look. */
export interface LineOptions {
  debug: boolean;
  outStyle: Style;
  errStyle: Style;
  /** What goes on is drawn elsewhere: only what is over becomes a line. */
  live?: boolean | undefined;
  /** Columns of the terminal that stdout is, if it is one. */
  columns?: (() => number | undefined) | undefined;
}

/** Turns events into the lines that stay, the same for pipes and for terminals. Pure but for the steps it remembers. */
export function createLines(options: LineOptions): (event: SyncEvent) => Line[] {
  const { debug, outStyle, errStyle } = options;
  const steps = new Map<string, StepStarted>();
  const debugLine = (text: string): Line[] => (debug ? err(errStyle('dim', text)) : []);

  return (event) => {
    switch (event.type) {
      case 'note':
        return noteLines(event, debug, errStyle);
      case 'step-started':
        steps.set(event.id, event);
        return debugLine(doing(event));
      case 'step-progress':
        return [];
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
        return event.outputs.length === 0
          ? []
          : [{ stream: 'stdout', text: outputsTable(event, outStyle, options.columns?.()) }];
      case 'api-call':
        return debugLine(
          `  ${event.service}.${event.operation} ${formatDuration(event.ms)}` +
            `${event.attempts > 1 ? `, ${event.attempts} attempts` : ''}${event.error ? `, ${event.error}` : ''}`,
        );
      case 'phase':
        return debugLine(`${event.name}: ${formatDuration(event.ms)}`);
      case 'result':
        return [{ stream: 'stdout', text: JSON.stringify(event.document, undefined, 2) }];
      default:
        // what --watch tells has lines of its own
        return [];
    }
  };
}

function noteLines(note: Extract<SyncEvent, { type: 'note' }>, debug: boolean, style: Style): Line[] {
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
  const text = prefix + note.text;
  const lines: Line[] = [{ stream: 'stderr', text: look ? style(look, text) : text }];
  if (note.hint) lines.push({ stream: 'stderr', text: `  ${note.hint.replaceAll('\n', '\n  ')}` });
  return lines;
}

function finishedLines(
  started: StepStarted,
  event: Extract<SyncEvent, { type: 'step-finished' }>,
  options: { debug: boolean; style: Style },
): Line[] {
  // what was as it should be is counted in the summary, not listed
  if (event.outcome === 'unchanged' && !options.debug) return [];
  const size = started.totalBytes === undefined ? '' : `${formatBytes(started.totalBytes)}, `;
  const detail = event.detail ? `${event.detail}, ` : '';
  const facts = `(${size}${detail}${formatDuration(event.ms)})`;
  const said = (look: Look, verb: string): Line[] => [
    { stream: 'stderr', text: `${options.style(look, verb)} ${started.label} ${options.style('dim', facts)}` },
  ];
  if (event.outcome === 'failed') return said('red', 'Failed');
  return said('green', event.outcome === 'unchanged' ? 'Unchanged' : (VERBS[started.kind]?.done ?? 'Done'));
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
  return `${style(look, event.status.padEnd(28))}  ${event.resourceType.padEnd(32)}  ${name}${reason}`;
}

function outputsTable(
  event: Extract<SyncEvent, { type: 'outputs' }>,
  style: Style,
  columns: number | undefined,
): string {
  const title = style('bold', `Outputs of ${event.stackName}`);
  const table = (headings: string[]): string =>
    formatTable(
      headings,
      event.outputs.map(({ key, value, description }) => [key, value, description ?? ''].slice(0, headings.length)),
    );
  if (event.outputs.some(({ description }) => description)) {
    const full = table(['Output', 'Value', 'Description']);
    // a terminal that is too narrow would break every row
    if (columns === undefined || full.split('\n').every((line) => textWidth(line) <= columns))
      return `${title}\n${full}`;
  }
  return `${title}\n${table(['Output', 'Value'])}`;
}

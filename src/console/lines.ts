import { formatBytes, formatDuration, formatTable } from './format.ts';
import type { StackEventRow, StepKind, SyncEvent } from './reporter.ts';
import type { Look, Style } from './style.ts';

/** A line to print for good, and where: results go to stdout, everything else to stderr. */
export interface Line {
  stream: 'stdout' | 'stderr';
  text: string;
}

/** What is said of steps that ended, by kind. */
const DONE: Record<StepKind, string> = {
  build: 'Built',
  upload: 'Uploaded',
  deploy: 'Deployed',
  sync: 'Synced',
  setup: 'Set up',
};

/** What is said of steps under way, by kind. */
export const DOING: Record<StepKind, string> = {
  build: 'Building',
  upload: 'Uploading',
  deploy: 'Deploying',
  sync: 'Syncing',
  setup: 'Setting up',
};

/** A step's start, which its end refers to. */
export type StepStarted = Extract<SyncEvent, { type: 'step-started' }>;

const err = (text: string): Line[] => [{ stream: 'stderr', text }];

/** Turns events into the lines that stay, the same for pipes and for terminals. Pure but for the steps it remembers. */
export function createLines(options: {
  debug: boolean;
  outStyle: Style;
  errStyle: Style;
}): (event: SyncEvent) => Line[] {
  const { debug, outStyle, errStyle } = options;
  const steps = new Map<string, StepStarted>();
  const debugLine = (text: string): Line[] => (debug ? err(errStyle('dim', text)) : []);

  return (event) => {
    switch (event.type) {
      case 'note':
        return noteLines(event, debug, errStyle);
      case 'step-started':
        steps.set(event.id, event);
        return debugLine(`${DOING[event.kind]} ${event.label}`);
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
        return err(stackEventLine(event.event, errStyle));
      case 'outputs':
        return event.outputs.length === 0 ? [] : [{ stream: 'stdout', text: outputsTable(event, outStyle) }];
      case 'api-call':
        return debugLine(
          `  ${event.service}.${event.operation} ${formatDuration(event.ms)}` +
            `${event.attempts > 1 ? `, ${event.attempts} attempts` : ''}${event.error ? `, ${event.error}` : ''}`,
        );
      case 'phase':
        return debugLine(`${event.name}: ${formatDuration(event.ms)}`);
      case 'result':
        return [{ stream: 'stdout', text: JSON.stringify(event.document, undefined, 2) }];
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
  if (event.outcome === 'failed') {
    return [{ stream: 'stderr', text: `${options.style('red', 'Failed')} ${started.label} ${facts}` }];
  }
  const verb = event.outcome === 'unchanged' ? 'Unchanged' : DONE[started.kind];
  return [
    { stream: 'stderr', text: `${options.style('green', verb)} ${started.label} ${options.style('dim', facts)}` },
  ];
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

function outputsTable(event: Extract<SyncEvent, { type: 'outputs' }>, style: Style): string {
  const described = event.outputs.some((output) => output.description);
  const headings = described ? ['Output', 'Value', 'Description'] : ['Output', 'Value'];
  const rows = event.outputs.map((output) =>
    [output.key, output.value, output.description ?? ''].slice(0, headings.length),
  );
  return `${style('bold', `Outputs of ${event.stackName}`)}\n${formatTable(headings, rows)}`;
}

import cliTruncate from 'cli-truncate';
import { formatBytes, formatDuration } from './format.ts';
import { createFrameWriter } from './frame-writer.ts';
import { doing } from './lines.ts';
import type { StepStarted } from './lines.ts';
import type { StackEventRow, SyncEvent } from './reporter.ts';
import { describeStatus } from './stack-status-words.ts';
import type { Style } from './style.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
const BAR_WIDTH = 20;

/** The part of a terminal that is redrawn: running work and its duration. */
export interface LiveView {
  update(event: SyncEvent): void;
  /** Prints permanent lines above the view. */
  print(lines: readonly string[]): void;
  /** Takes the view off the screen until `show`. */
  hide(): void;
  show(): void;
  close(): void;
}

interface RunningStep extends StepStarted {
  since: number;
  sent: number;
  activity?: string | undefined;
}

/** Draws running steps and the resources CloudFormation is working on at the bottom of the terminal. */
export function createLiveView(terminal: NodeJS.WriteStream, style: Style): LiveView {
  const frames = createFrameWriter(terminal);
  const steps = new Map<string, RunningStep>();
  const resources = new Map<string, StackEventRow>();
  let frame = 0;
  let hidden = false;

  const render = (): string[] => {
    if (hidden) return [];
    const rows = [
      ...[...steps.values()].map((step) => stepRow(step, style)),
      ...[...resources.values()].map((event) => resourceRow(event, style)),
    ];
    const spinner = FRAMES[frame % FRAMES.length] ?? '';
    const room = Math.max(1, (terminal.rows ?? 24) - 3);
    const shown = rows.slice(0, room).map((row) => `${style('cyan', spinner)} ${row}`);
    if (rows.length > room) shown.push(style('dim', `  and ${rows.length - room} more`));
    return shown.map((row) => cliTruncate(row, Math.max(10, (terminal.columns ?? 80) - 1)));
  };
  const resized = (): void => frames.redraw(render());
  terminal.on('resize', resized);

  const timer = setInterval(() => {
    frame++;
    frames.draw(render());
  }, FRAME_MS);
  timer.unref();

  return {
    update(event) {
      if (event.type === 'step-started') steps.set(event.id, { ...event, since: performance.now(), sent: 0 });
      else if (event.type === 'step-finished') steps.delete(event.id);
      else if (event.type === 'step-progress') {
        const step = steps.get(event.id);
        if (step) step.sent = event.bytes;
      } else if (event.type === 'step-activity') {
        const step = steps.get(event.id);
        if (step) step.activity = event.text;
      } else if (event.type === 'stack-event') {
        const name = `${event.event.stackPath}/${event.event.logicalId}`;
        if (event.event.status.endsWith('_IN_PROGRESS')) resources.set(name, event.event);
        else resources.delete(name);
      } else if (event.type === 'outputs') resources.clear();
    },
    print: (lines) => frames.draw(render(), lines),
    hide() {
      hidden = true;
      frames.draw([]);
    },
    show() {
      hidden = false;
      frames.draw(render());
    },
    close() {
      clearInterval(timer);
      terminal.off('resize', resized);
      frames.draw([]);
    },
  };
}

function stepRow(step: RunningStep, style: Style): string {
  const time = formatDuration(performance.now() - step.since);
  if (step.totalBytes === undefined || step.totalBytes === 0) return `${doing(step)}  ${style('dim', time)}`;
  const share = Math.min(1, step.sent / step.totalBytes);
  const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
  return `${doing(step)}  ${bar} ${formatBytes(step.sent)} of ${formatBytes(step.totalBytes)}  ${style('dim', time)}`;
}

function resourceRow(event: StackEventRow, style: Style): string {
  const name = event.stackPath === '' ? event.logicalId : `${event.stackPath}/${event.logicalId}`;
  const time = formatDuration(Math.max(0, Date.now() - event.timestamp.getTime()));
  return `${describeStatus(event.status).word.padEnd(8)}  ${name}  ${style('dim', time)}`;
}

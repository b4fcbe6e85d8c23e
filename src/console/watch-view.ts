import cliTruncate from 'cli-truncate';
import { formatDuration } from './format.ts';
import { createFrameWriter } from './frame-writer.ts';
import { doing } from './lines.ts';
import type { LiveView } from './live-view.ts';
import { describeStatus } from './stack-status-words.ts';
import type { Style } from './style.ts';
import { textWidth } from './text-width.ts';
import { WATCH_KEYS } from './watch-keys.ts';
import { lookOf } from './watch-lines.ts';
import { emptyWatchModel, rowOf, updateWatchModel } from './watch-model.ts';
import type { WatchModel } from './watch-model.ts';
import { fitName, formatAgo, nameWidth, resourceLines, withReason } from './watch-rows.ts';
import type { Picture } from './watch-rows.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Redraw interval (ms) while work runs, and while only the times change. */
const BUSY_MS = 80;
const IDLE_MS = 1_000;
/** Events within this time (ms) share a frame. */
const GATHER_MS = 16;
/** The most resources of a deployment to show that have no row of their own. */
const IN_PROGRESS_SHOWN = 5;

/** Draws the watched resources at the bottom of the terminal, below the permanent lines. */
export function createWatchView(terminal: NodeJS.WriteStream, style: Style): LiveView {
  const frames = createFrameWriter(terminal);
  const model = emptyWatchModel(performance.now());
  let frame = 0;
  let closed = false;
  let hidden = false;
  let timer: NodeJS.Timeout | undefined;
  const lines = (): string[] => {
    if (closed || hidden) return [];
    const size = { columns: terminal.columns ?? 80, rows: terminal.rows ?? 24 };
    const spinner = FRAMES[frame % FRAMES.length] ?? '';
    return renderWatch(model, { ...size, now: performance.now(), wallClock: Date.now(), spinner, style });
  };
  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => {
      frame++;
      frames.draw(lines());
      schedule(isBusy(model) ? BUSY_MS : IDLE_MS);
    }, ms).unref();
  };
  const resized = (): void => frames.redraw(lines());
  terminal.on('resize', resized);
  frames.draw(lines());
  schedule(BUSY_MS);
  return {
    update(event) {
      const was = isBusy(model);
      updateWatchModel(model, event, performance.now());
      if (event.type === 'watch-stopped') closed = true;
      const isSeen = event.type === 'resource-state' || event.type === 'stack-state' || event.type === 'watch-stopped';
      if (isBusy(model) !== was || isSeen) schedule(GATHER_MS);
    },
    print: (text) => frames.draw(lines(), text),
    hide() {
      hidden = true;
      frames.draw([]);
    },
    show() {
      hidden = false;
      frames.draw(lines());
    },
    close() {
      closed = true;
      clearTimeout(timer);
      terminal.off('resize', resized);
      frames.draw([]);
    },
  };
}

/** Renders the lines of the view, cut to the terminal's width and height. Pure. */
export function renderWatch(model: WatchModel, picture: Picture): string[] {
  const { columns, rows } = picture;
  const foot = ['', ...stackLines(model, picture), ...progressLines(model, picture), ...keyLines(model, picture)];
  const body = model.rows.size === 0 ? [] : resourceLines(model, picture, Math.max(1, rows - foot.length - 2));
  return [...body, ...foot].map((line) => cliTruncate(line, Math.max(10, columns - 1)));
}

function stackLines({ stack, stackName }: WatchModel, picture: Picture): string[] {
  const { style, now, spinner } = picture;
  const title = stackName === '' ? 'stack' : `stack ${stackName}`;
  const name = style('bold', fitName(title, nameWidth([title], picture)));
  const state = style(lookOf(stack.state), stack.state.replace('-', ' '));
  const icon = stack.state === 'in-sync' ? '✓' : stack.state === 'failed' ? '✗' : spinner;
  const start = `${style(lookOf(stack.state), icon)} ${name}  ${state}`;
  if (stack.state === 'failed') return withReason(start, style('red', stack.failure ?? ''), picture);
  const last =
    stack.lastSync && `deployed ${formatAgo(now - stack.lastSync.at)}, took ${formatDuration(stack.lastSync.ms)}`;
  return [`${start}  ${style('dim', stack.state === 'in-sync' ? (last ?? '') : formatDuration(now - stack.since))}`];
}

/** What CloudFormation works on, except resources with a row of their own; or what the local cloud does. */
function progressLines(model: WatchModel, picture: Picture): string[] {
  const { style, wallClock, now } = picture;
  const local = [...model.steps.values()].filter(({ kind }) => kind === 'set-up' || kind === 'start');
  if (local.length > 0) {
    return local.map((step) => `  ${doing(step)}  ${style('dim', formatDuration(now - step.since))}`);
  }
  if (model.stack.state !== 'updating') return [];
  const all = [...model.inProgress.values()]
    .map((event) => ({
      ...event,
      name: event.stackPath === '' ? event.logicalId : `${event.stackPath}/${event.logicalId}`,
    }))
    .filter(({ name }) => rowOf(model, name) === undefined);
  const shown = all.slice(0, IN_PROGRESS_SHOWN);
  const width = nameWidth(
    shown.map(({ name }) => name),
    picture,
  );
  const lines = shown.map(({ name, status, timestamp }) => {
    const time = formatDuration(Math.max(0, wallClock - timestamp.getTime()));
    return `  ${fitName(name, width)}  ${describeStatus(status).word.padEnd(8)}  ${style('dim', time)}`;
  });
  if (all.length > lines.length) lines.push(style('dim', `  and ${all.length - lines.length} more`));
  return lines;
}

/** The keys, in as many lines as the width needs. */
function keyLines({ ready, logs }: WatchModel, { style, columns }: Picture): string[] {
  if (!ready) return [style('dim', '  Press Ctrl-C to stop')];
  const lines: string[] = [];
  for (const { key, short } of WATCH_KEYS) {
    const text = `${key} ${key === 'l' && logs ? 'hide logs' : short}`;
    const last = lines.at(-1);
    const longer = `${last}   ${text}`;
    if (last === undefined || textWidth(longer) >= columns) lines.push(`  ${text}`);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => style('dim', line));
}

function isBusy({ stack, rows, steps }: WatchModel): boolean {
  return !isResting(stack.state) || steps.size > 0 || [...rows.values()].some(({ state }) => !isResting(state));
}

function isResting(state: string): boolean {
  return state === 'in-sync' || state === 'failed';
}
